//! `Swarm`: runners as the tasks of services, one for each pool.

mod service;
mod task;

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use bollard::models::{Service, ServiceSpec, Task};
use bollard::query_parameters::{ListServicesOptions, ListTasksOptions, UpdateServiceOptions};
use tracing::info;
use wire::PoolName;

use crate::docker::container::{CLUSTER, POOL, TEMPLATE};
use crate::docker::engine::{Engine, SHORT};
use crate::redaction::Redaction;
use crate::{ClusterName, Error, Instance, InstanceState, Substrate, Template};

/// How often what somebody else has changed meanwhile is read again: whoever loses more often than that has others
/// that do the work.
const ATTEMPTS_MAX: usize = 3;

/// Runners as tasks of a Docker Swarm, of which the engine is a manager. A pool is a service: its number is the
/// service's, and the Swarm does the rest.
#[derive(Debug)]
pub struct Swarm {
    engine: Engine,
    cluster: ClusterName,
}

/// What came of an attempt.
enum Change {
    Done,
    /// Somebody else has changed it at the same time.
    Overtaken,
}

impl Swarm {
    /// Runners of this cluster on the Swarm that the engine at `host` manages. It is not talked to yet.
    ///
    /// # Errors
    /// When the host is neither `unix:///...` nor `http://...`.
    pub fn new(host: &str, cluster: ClusterName) -> Result<Self, Error> {
        Ok(Self { engine: Engine::at(host)?, cluster })
    }

    async fn services(&self) -> Result<Vec<Service>, Error> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{CLUSTER}={}", self.cluster)])]);
        let options = ListServicesOptions { filters: Some(filters), ..Default::default() };
        let listed = self
            .engine
            .ask("list services", SHORT, async |docker| docker.list_services(Some(options)).await)
            .await;
        listed.map_err(no_swarm)
    }

    async fn tasks(&self, services: &[Service]) -> Result<Vec<Task>, Error> {
        let ids: Vec<String> = services.iter().filter_map(|service| service.id.clone()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let options = ListTasksOptions { filters: Some(HashMap::from([("service".to_owned(), ids)])) };
        let listed =
            self.engine.ask("list tasks", SHORT, async |docker| docker.list_tasks(Some(options)).await).await;
        match listed {
            // One of the services went meanwhile; whoever asks again hears of the others.
            Err(Error::Refused { status: 404, .. }) => Ok(Vec::new()),
            listed => listed.map_err(no_swarm),
        }
    }

    async fn attempt(&self, template: &Template, count: usize) -> Result<Change, Error> {
        let pool = template.pool.as_str();
        let there = self.services().await?.into_iter().find(|service| label(service, POOL) == pool);
        let wanted = service::specification(template, &self.cluster, count);
        match there {
            None if count == 0 => Ok(Change::Done),
            None => {
                info!(pool, count, "service created");
                let created = self
                    .engine
                    .ask("create a service", SHORT, async |docker| docker.create_service(wanted, None).await)
                    .await;
                change(created.map(drop))
            }
            Some(service) if is_as_wanted(&service, template, count) => Ok(Change::Done),
            Some(service) => {
                info!(pool, count, "service updated");
                self.update(&service, wanted).await
            }
        }
    }

    async fn update(&self, service: &Service, wanted: ServiceSpec) -> Result<Change, Error> {
        let version = service.version.as_ref().and_then(|version| version.index).unwrap_or_default();
        let version = i32::try_from(version).unwrap_or(i32::MAX);
        let options = UpdateServiceOptions { version, ..Default::default() };
        let id = service.id.clone().unwrap_or_default();
        let updated = self
            .engine
            .ask("update a service", SHORT, async |docker| {
                docker.update_service(&id, wanted, options, None).await
            })
            .await;
        change(updated.map(drop))
    }

    /// Has the tasks of a service leave; when all have, the service goes as well.
    async fn dissolve(&self, service: Service) -> Result<(), Error> {
        if service::replicas(&service) > 0 {
            let mode = Some(service::replicated(0));
            let none = ServiceSpec { mode, ..service.spec.clone().unwrap_or_default() };
            info!(pool = label(&service, POOL), "service of no pool told to leave");
            return self.update(&service, none).await.map(drop);
        }
        if self.tasks(std::slice::from_ref(&service)).await?.iter().any(|task| !task::has_ended(task)) {
            return Ok(());
        }
        let id = service.id.unwrap_or_default();
        let deleted =
            self.engine.ask("delete a service", SHORT, async |docker| docker.delete_service(&id).await).await;
        deleted.or_else(|error| if error.is_done_already() { Ok(()) } else { Err(no_swarm(error)) })
    }
}

#[async_trait]
impl Substrate for Swarm {
    async fn instances(&self, templates: &[Template]) -> Result<Vec<Instance>, Error> {
        let services = self.services().await?;
        let tasks = self.tasks(&services).await?;
        let mut instances = Vec::new();
        for service in &services {
            let pool = label(service, POOL);
            let tasks: Vec<&Task> = tasks.iter().filter(|task| task.service_id == service.id).collect();
            let template = templates.iter().find(|template| template.pool.as_str() == pool);
            let fingerprint = template.map(Template::fingerprint);
            let redaction = template.map(Redaction::of).unwrap_or_default();
            instances.extend(task::instances(pool, &tasks, fingerprint.as_deref()).into_iter().map(
                |mut instance| {
                    if let InstanceState::Failed { reason } = &mut instance.state {
                        *reason = redaction.apply(reason);
                    }
                    instance
                },
            ));
        }
        Ok(instances)
    }

    async fn scale(&self, template: &Template, count: usize, _ready: &BTreeSet<String>) -> Result<(), Error> {
        if template.image.is_none() {
            return Err(Error::ImageMissing(template.pool.to_string()));
        }
        for _ in 0..ATTEMPTS_MAX {
            let attempt = self.attempt(template, count).await;
            if let Change::Done = attempt.map_err(|error| error.without_secrets(&Redaction::of(template)))? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn retire(&self, pools_kept: &[PoolName]) -> Result<(), Error> {
        for service in self.services().await? {
            if !pools_kept.iter().any(|kept| kept.as_str() == label(&service, POOL)) {
                self.dissolve(service).await?;
            }
        }
        Ok(())
    }
}

fn label<'a>(service: &'a Service, name: &str) -> &'a str {
    let labels = service.spec.as_ref().and_then(|spec| spec.labels.as_ref());
    labels.and_then(|labels| labels.get(name)).map_or("", String::as_str)
}

fn is_as_wanted(service: &Service, template: &Template, count: usize) -> bool {
    label(service, TEMPLATE) == template.fingerprint() && service::replicas(service) == count
}

/// Two who change a service at once: the engine takes the first.
fn change(result: Result<(), Error>) -> Result<Change, Error> {
    match result {
        Ok(()) => Ok(Change::Done),
        Err(Error::Refused { status: 404 | 409, .. }) => Ok(Change::Overtaken),
        Err(Error::Refused { message, .. }) if message.contains("update out of sequence") => {
            Ok(Change::Overtaken)
        }
        Err(error) => Err(no_swarm(error)),
    }
}

fn no_swarm(error: Error) -> Error {
    match error {
        Error::Refused { engine, status: 503 | 406, .. } => Error::NoSwarm { engine },
        other => other,
    }
}
