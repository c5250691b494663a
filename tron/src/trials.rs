//! `Trials`: bundles on trial, judged by what they come to.

mod verdict;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::admin::{Deployment, TrialReport};
use wire::{BundleSha, Chain, RouteId, Trial};

use crate::Rejection;
use crate::desired;
use crate::log::Log;
use crate::stats::Statistics;

/// How often they are judged: as often as runners report.
const PERIOD: Duration = Duration::from_secs(1);

/// Who makes the deployments that end them.
const BY: &str = "trial";

/// Judges bundles on trial. Every Tron does, by what it has heard since it began: whoever is first takes a bundle off
/// its route, and the others find it gone.
pub(crate) struct Trials {
    pub(crate) log: Arc<Log>,
    pub(crate) statistics: Arc<Statistics>,
}

impl Trials {
    /// Judges until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut rounds = wire::ticks(PERIOD);
        while stop.run_until_cancelled(rounds.tick()).await.is_some() {
            if let Some(Err(error)) = stop.run_until_cancelled(self.judge()).await {
                warn!(error = %Chain(&error), "trials not judged; trying again");
            }
        }
    }

    async fn judge(&self) -> Result<(), Rejection> {
        let state = self.log.current().await?;
        let on_trial: Vec<OnTrial> = on_trial(&state).collect();
        self.statistics.try_out(&on_trial.iter().map(|tried| tried.queue.clone()).collect());
        for OnTrial { queue, route, sha, trial, .. } in on_trial {
            let Some(why) = verdict::judge(trial, self.statistics.tried(&queue)) else { continue };
            info!(%route, bundle = sha.short(), why, "trial ended, the bundle goes");
            self.log.commit(BY, |state| Ok(desired::end_trial(state, route, sha, &why))).await?;
        }
        Ok(())
    }
}

/// A bundle on trial.
struct OnTrial<'d> {
    queue: String,
    route: &'d RouteId,
    sha: &'d BundleSha,
    weight: u32,
    trial: &'d Trial,
}

fn on_trial(state: &Deployment) -> impl Iterator<Item = OnTrial<'_>> {
    state.routes.iter().flat_map(|route| {
        route.bundles.iter().filter_map(|bundle| {
            let trial = bundle.trial.as_ref()?;
            let queue = route.queue(&bundle.sha);
            Some(OnTrial { queue, route: &route.id, sha: &bundle.sha, weight: bundle.weight, trial })
        })
    })
}

/// How the bundles on trial do.
pub(crate) fn reports(state: &Deployment, statistics: &Statistics) -> Vec<TrialReport> {
    let report = |tried: OnTrial<'_>| {
        let so_far = statistics.tried(&tried.queue);
        TrialReport {
            route: tried.route.clone(),
            sha: tried.sha.clone(),
            trial: tried.trial.clone(),
            weight: tried.weight,
            calls: so_far.calls,
            failures: so_far.failures,
            compared: so_far.compared,
            different: so_far.different,
        }
    };
    on_trial(state).map(report).collect()
}
