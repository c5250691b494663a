//! `Survey`: which runners the substrate says there are, asked again and again, beside everything else.

use std::sync::Arc;
use std::time::Duration;

use scaling::Listing;
use substrate::{Instance, InstanceState, Substrate, Template};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::{Chain, PoolName};

/// What ended is seen, and can be made up for, within this.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long the substrate may take to say; a busy engine with a thousand containers takes seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// What it said longer ago than this is not known any more.
const AGE_MAX: Duration = Duration::from_secs(5);

/// What the substrate said last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    instances: Vec<Instance>,
    at: Option<Instant>,
    /// Why it has said nothing since.
    pub(crate) trouble: Option<String>,
}

impl Found {
    /// How many there are of a pool.
    pub(crate) fn listing(&self, pool: &PoolName, now: Instant) -> Listing {
        if self.at.is_none_or(|at| now.duration_since(at) > AGE_MAX) {
            return Listing::Unknown;
        }
        let (mut current, mut leaving, mut failed) = (0, 0, 0);
        for instance in self.instances.iter().filter(|instance| instance.pool == pool.as_str()) {
            match &instance.state {
                InstanceState::Running => current += 1,
                InstanceState::Leaving => leaving += 1,
                InstanceState::Failed { .. } => failed += 1,
            }
        }
        Listing::Known { current, leaving, failed }
    }

    /// Why a runner of the pool cannot start, if one cannot.
    pub(crate) fn failure(&self, pool: &PoolName) -> Option<&str> {
        let mut of_pool = self.instances.iter().filter(|instance| instance.pool == pool.as_str());
        of_pool.find_map(|instance| match &instance.state {
            InstanceState::Failed { reason } => Some(reason.as_str()),
            InstanceState::Running | InstanceState::Leaving => None,
        })
    }
}

/// Asks until `shutdown`.
pub(crate) async fn run(
    substrate: Arc<dyn Substrate>,
    templates: Vec<Template>,
    found: watch::Sender<Found>,
    shutdown: CancellationToken,
) {
    let mut ticks = wire::ticks(INTERVAL);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let asked = timeout(PATIENCE, substrate.instances(&templates));
        let Some(answer) = shutdown.run_until_cancelled(asked).await else { return };
        let answer = match answer {
            Ok(Ok(instances)) => Ok(instances),
            Ok(Err(error)) => Err(Chain(&error).to_string()),
            Err(_late) => {
                Err(format!("the substrate did not say within {PATIENCE:?} which runners there are"))
            }
        };
        found.send_modify(|found| found.take(answer));
    }
}

impl Found {
    fn take(&mut self, answer: Result<Vec<Instance>, String>) {
        match answer {
            Ok(instances) => {
                if self.trouble.is_some() {
                    info!("substrate answers again");
                }
                *self = Self { instances, at: Some(Instant::now()), trouble: None };
            }
            Err(trouble) => {
                if self.trouble.as_ref() != Some(&trouble) {
                    warn!(error = %trouble, "substrate does not say which runners there are");
                }
                self.trouble = Some(trouble);
            }
        }
    }
}
