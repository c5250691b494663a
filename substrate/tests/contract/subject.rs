//! `Subject`: a substrate under test, with what every behaviour needs of it.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::future::Future;
use std::slice::from_ref;
use std::sync::Arc;
use std::time::Duration;

use substrate::{Instance, InstanceState, Substrate, Template};
use tokio::time::{Instant, interval};
use wire::{Labels, PoolName};

use crate::stand_in;

/// How long something may take that has to happen: a Swarm starts again what has ended after five seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// How often whoever waits looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

type Open = Box<dyn Fn(&str) -> Arc<dyn Substrate> + Send + Sync>;

/// A substrate under test.
pub(crate) struct Subject {
    /// Makes an object, as each Tron that leads has one, for a cluster.
    pub(crate) open: Open,
    /// The image of its containers.
    pub(crate) image: Option<String>,
    /// Its cluster.
    pub(crate) cluster: String,
    /// Goes when the test is over.
    pub(crate) _kept: Box<dyn Any + Send + Sync>,
}

impl Subject {
    /// An object over what there is.
    pub(crate) fn object(&self) -> Arc<dyn Substrate> {
        (self.open)(&self.cluster)
    }

    /// A pool of stand-ins.
    pub(crate) fn template(&self, pool: &str) -> Template {
        Template {
            pool: PoolName::parse(pool).unwrap(),
            labels: Labels::default(),
            image: self.image.clone(),
            cpus: 0.5,
            memory_max: 64 << 20,
            pids_max: 16,
            environment: vec![("FUNCATRON_BROKER".to_owned(), "amqp://me:hunter22@broker".to_owned())],
            network: Some("host".to_owned()),
            drain_timeout: Duration::from_millis(500),
        }
    }

    /// The same, of stand-ins that behave in a way of their own.
    pub(crate) fn template_of(&self, pool: &str, mode: &str) -> Template {
        let mut template = self.template(pool);
        template.environment.push(("STAND_IN".to_owned(), mode.to_owned()));
        template
    }
}

/// Waits until it is so, and says what did not become so.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let give_up_at = Instant::now() + PATIENCE;
    let mut looks = interval(LOOK_INTERVAL);
    loop {
        looks.tick().await;
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < give_up_at, "{what}");
    }
}

/// What came of asking, unless it was refused: an engine that is short of time does that now and then. Whoever waits
/// asks again, as Tron does.
#[expect(clippy::print_stderr, reason = "a test that fails shows what it was told")]
pub(crate) fn heard<T, E: Display>(result: Result<T, E>) -> Option<T> {
    result.inspect_err(|refusal| eprintln!("refused: {refusal}")).ok()
}

/// The names of instances in this state.
pub(crate) fn names(instances: &[Instance], state: &InstanceState) -> BTreeSet<String> {
    instances
        .iter()
        .filter(|instance| instance.state == *state)
        .map(|instance| instance.name.clone())
        .collect()
}

/// The names of those that run.
pub(crate) async fn running(substrate: &dyn Substrate, template: &Template) -> BTreeSet<String> {
    let mut instances =
        until("instances are told of", || async { heard(substrate.instances(from_ref(template)).await) })
            .await;
    instances.retain(|instance| instance.pool == template.pool.as_str());
    names(&instances, &InstanceState::Running)
}

/// Those of them that hear what they are told.
pub(crate) async fn up(substrate: &dyn Substrate, template: &Template) -> BTreeSet<String> {
    let mut running = running(substrate, template).await;
    running.retain(|name| stand_in::is_up(name));
    running
}

/// Has a pool scaled until there are so many, all current and up, and nothing else of it is left.
pub(crate) async fn settle(substrate: &dyn Substrate, template: &Template, count: usize) -> BTreeSet<String> {
    let what = format!("{} settles at {count}", template.pool);
    until(&what, || async {
        let ready = up(substrate, template).await;
        heard(substrate.scale(template, count, &ready).await)?;
        let instances = heard(substrate.instances(from_ref(template)).await)?;
        let of_pool: Vec<Instance> =
            instances.into_iter().filter(|instance| instance.pool == template.pool.as_str()).collect();
        let up = up(substrate, template).await;
        let is_settled =
            of_pool.len() == count && of_pool.iter().all(|instance| instance.is_current) && up.len() == count;
        is_settled.then_some(up)
    })
    .await
}

/// Has a pool of one that cannot start tried until it is shown as failed; why it is.
pub(crate) async fn failure(substrate: &dyn Substrate, template: &Template) -> String {
    until("it has failed", || async {
        heard(substrate.scale(template, 1, &BTreeSet::new()).await)?;
        failed(heard(substrate.instances(from_ref(template)).await)?)
    })
    .await
}

/// Why one of them is shown as failed.
pub(crate) fn failed(instances: Vec<Instance>) -> Option<String> {
    instances.into_iter().find_map(|instance| match instance.state {
        InstanceState::Failed { reason } => Some(reason),
        _ => None,
    })
}
