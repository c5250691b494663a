//! `Docker`: runners as containers of a Docker Engine.

pub(crate) mod container;
pub(crate) mod creation;
pub(crate) mod engine;
pub(crate) mod moment;
mod sightings;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use bollard::query_parameters::{
    CreateContainerOptions, KillContainerOptions, ListContainersOptions, LogsOptions, RemoveContainerOptions,
    RenameContainerOptions,
};
use futures_util::{StreamExt, stream};
use tokio::time::timeout;
use tracing::{info, warn};
use wire::PoolName;

use self::container::{CLUSTER, Container, leaving_name, name};
use self::engine::{Engine, LONG, SHORT};
use self::sightings::Sightings;
use crate::pool::{self, Found, Step};
use crate::redaction::Redaction;
use crate::template::instance_name;
use crate::{ClusterName, Error, Instance, InstanceState, Substrate, Template};

/// An engine sets up containers one after the other for the most part; some more wait in it than here.
const AT_ONCE: usize = 4;
/// Whatever is not begun by then, the next call begins.
const CALL_MAX: Duration = Duration::from_secs(90);

/// Runners as containers of one Docker Engine.
///
/// What there is to know of them is on the engine, in their names and labels: any Tron can go on from there.
#[derive(Debug)]
pub struct Docker {
    engine: Engine,
    cluster: ClusterName,
    sightings: Sightings,
}

impl Docker {
    /// Runners of this cluster on the engine at `host`: `unix:///var/run/docker.sock`, or `http://` on a network
    /// that nobody else is in. It is not talked to yet.
    ///
    /// # Errors
    /// When the host is neither.
    pub fn new(host: &str, cluster: ClusterName) -> Result<Self, Error> {
        Ok(Self { engine: Engine::at(host)?, cluster, sightings: Sightings::default() })
    }

    /// The containers of this cluster, those of pools that are wanted looked at closely.
    async fn survey(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<Found>, Error> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{CLUSTER}={}", self.cluster)])]);
        let options = ListContainersOptions { all: true, filters: Some(filters), ..Default::default() };
        let listed = self
            .engine
            .ask("list containers", SHORT, async |docker| docker.list_containers(Some(options)).await)
            .await?;
        let containers: Vec<Container> =
            listed.into_iter().filter_map(|summary| Container::read(summary, &self.cluster)).collect();
        let seen = self.sightings.see(containers.iter().map(Container::sight).collect());
        let mut found = Vec::new();
        for container in containers.into_iter().filter(|container| is_wanted(&container.pool)) {
            let seen_for = seen.get(&container.sight()).copied().unwrap_or_default();
            let look = if container.needs_a_closer_look() { self.look(&container.id).await? } else { None };
            found.push(container.found(look.as_ref(), seen_for));
        }
        Ok(found)
    }

    async fn look(&self, id: &str) -> Result<Option<bollard::models::ContainerState>, Error> {
        let looked = self
            .engine
            .ask("show a container", SHORT, async |docker| docker.inspect_container(id, None).await)
            .await;
        match looked {
            Err(error) if error.is_done_already() => Ok(None),
            looked => Ok(looked?.state),
        }
    }

    /// What it printed last, if the engine can say.
    async fn last_line(&self, id: &str) -> Option<String> {
        let options = LogsOptions { stdout: true, stderr: true, tail: "1".to_owned(), ..Default::default() };
        let line = self
            .engine
            .ask("show a log", SHORT, async |docker| docker.logs(id, Some(options)).next().await.transpose());
        Some(line.await.ok()??.to_string())
    }

    /// Takes all steps, even if one of them cannot be taken; says so then.
    async fn take(
        &self,
        steps: Vec<Step>,
        found: &[Found],
        template: Option<&Template>,
    ) -> Result<(), Error> {
        let (starts, others): (Vec<Step>, Vec<Step>) =
            steps.into_iter().partition(|step| matches!(step, Step::Start { .. } | Step::Begin(_)));
        let mut outcome = Ok(());
        // Who goes makes room for who comes.
        for steps in [others, starts] {
            let results =
                stream::iter(steps).map(|step| self.step(step, found, template)).buffer_unordered(AT_ONCE);
            let results: Vec<Result<(), Error>> = results.collect().await;
            outcome = outcome.and(results.into_iter().collect());
        }
        outcome
    }

    async fn step(&self, step: Step, found: &[Found], template: Option<&Template>) -> Result<(), Error> {
        let pool_of = |id: &str| {
            let pool = found.iter().find(|found| found.id == id).map(|found| found.pool.as_str());
            self.cluster.of_pool(pool.unwrap_or_default())
        };
        let taken = match (step, template) {
            (Step::Start { number, attempt }, Some(template)) => self.start(template, number, attempt).await,
            (Step::Start { .. }, None) => Ok(()),
            (Step::Begin(id), _) => return self.begin(&id).await,
            (Step::Leave(id), _) => {
                info!(container = %id, "runner told to leave");
                self.rename(&id, leaving_name(&pool_of(&id), &id)).await?;
                self.kill(&id, "SIGTERM").await
            }
            (Step::Remind(id), _) => self.kill(&id, "SIGTERM").await,
            (Step::Kill(id), _) => {
                warn!(container = %id, "runner did not leave in time and is ended");
                self.kill(&id, "SIGKILL").await
            }
            (Step::Remove(id), _) => self.remove(&id).await,
        };
        taken.or_else(|error| if error.is_done_already() { Ok(()) } else { Err(error) })
    }

    async fn start(&self, template: &Template, number: usize, attempt: u32) -> Result<(), Error> {
        let instance = instance_name(&template.pool, number);
        let body = creation::container(template, &self.cluster, &instance, (number, attempt));
        let name = name(&self.cluster.of_pool(template.pool.as_str()), number);
        let options = CreateContainerOptions { name: Some(name), ..Default::default() };
        let created = self
            .engine
            .ask("create a container", LONG, async |docker| {
                docker.create_container(Some(options), body).await
            })
            .await;
        let id = match created {
            Err(Error::Refused { engine, status: 404, message, .. }) if message.contains("image") => {
                let image = template.image.clone().unwrap_or_default();
                return Err(Error::NoImage { engine, image });
            }
            created => created?.id,
        };
        info!(%instance, container = %id, attempt, "runner started");
        self.begin(&id).await
    }

    /// Starts what was made, unless somebody else has done so, or done away with it.
    async fn begin(&self, id: &str) -> Result<(), Error> {
        let started = self
            .engine
            .ask("start a container", LONG, async |docker| docker.start_container(id, None).await)
            .await;
        match started {
            Err(Error::Refused { status: 304, .. }) => Ok(()),
            Err(Error::Refused { status: 404, message, .. }) if message.contains("No such container") => {
                Ok(())
            }
            started => started,
        }
    }

    async fn rename(&self, id: &str, name: String) -> Result<(), Error> {
        let options = RenameContainerOptions { name };
        let renamed = self
            .engine
            .ask("rename a container", SHORT, async |docker| docker.rename_container(id, options).await)
            .await;
        match renamed {
            // It has that name already.
            Err(Error::Refused { status: 400 | 404 | 409, .. }) => Ok(()),
            renamed => renamed,
        }
    }

    async fn kill(&self, id: &str, signal: &str) -> Result<(), Error> {
        let options = KillContainerOptions { signal: signal.to_owned() };
        self.engine
            .ask("signal a container", SHORT, async |docker| docker.kill_container(id, Some(options)).await)
            .await
    }

    /// Clears away a container that has ended, with its volumes.
    async fn remove(&self, id: &str) -> Result<(), Error> {
        let options = RemoveContainerOptions { v: true, ..Default::default() };
        self.engine
            .ask("remove a container", LONG, async |docker| docker.remove_container(id, Some(options)).await)
            .await
    }

    /// Does it within the time that a call may take.
    async fn bounded<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let late =
            |_elapsed| Error::Late { engine: self.engine.host(), task: "look after a pool", limit: CALL_MAX };
        timeout(CALL_MAX, call).await.map_err(late)?
    }
}

#[async_trait]
impl Substrate for Docker {
    async fn instances(&self, templates: &[Template]) -> Result<Vec<Instance>, Error> {
        self.bounded(async {
            let mut instances = Vec::new();
            for found in self.survey(|_pool| true).await? {
                let template = templates.iter().find(|template| template.pool.as_str() == found.pool);
                let fingerprint = template.map(Template::fingerprint);
                let Some(mut instance) = found.instance(fingerprint.as_deref()) else { continue };
                if let (InstanceState::Failed { reason }, Some(template)) = (&mut instance.state, template) {
                    let line = self.last_line(&found.id).await.unwrap_or_default();
                    *reason = Redaction::of(template).apply(&format!("{reason}: {line}"));
                }
                instances.push(instance);
            }
            Ok(instances)
        })
        .await
    }

    async fn scale(&self, template: &Template, count: usize, ready: &BTreeSet<String>) -> Result<(), Error> {
        if template.image.is_none() {
            return Err(Error::ImageMissing(template.pool.to_string()));
        }
        self.bounded(async {
            let found = self.survey(|pool| pool == template.pool.as_str()).await?;
            let steps = pool::scale(&template.fingerprint(), count, ready, &found);
            self.take(steps, &found, Some(template)).await
        })
        .await
        .map_err(|error| error.without_secrets(&Redaction::of(template)))
    }

    async fn retire(&self, pools_kept: &[PoolName]) -> Result<(), Error> {
        self.bounded(async {
            let is_kept = |pool: &str| pools_kept.iter().any(|kept| kept.as_str() == pool);
            let found = self.survey(|pool| !is_kept(pool)).await?;
            self.take(pool::retire(&found), &found, None).await
        })
        .await
    }
}
