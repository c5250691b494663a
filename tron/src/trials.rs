//! `Trials`: bundles on trial, judged by what they come to.

mod verdict;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::admin::{Deployment, MemberInfo, TrialReport};
use wire::{BundleSha, Chain, Labels, Route, RouteId, Trial, WeightedBundle};

use crate::balance::Holders;
use crate::log::{Committed, Log};
use crate::members::Members;
use crate::stats::{Statistics, Tried};
use crate::status::{Readiness, Status};
use crate::{Rejection, desired, plan, status};

/// How often they are judged: as often as runners report.
const PERIOD: Duration = Duration::from_secs(1);

/// Who makes the deployments that end them.
const BY: &str = "trial";

/// Judges bundles on trial. Every Tron does, by what it has heard since it began: whoever is first takes a bundle off
/// its route, and the others find it gone.
pub(crate) struct Trials {
    pub(crate) log: Arc<Log>,
    pub(crate) statistics: Arc<Statistics>,
    pub(crate) status: watch::Receiver<Status>,
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
        for tried in on_trial(&state.routes) {
            let so_far = self.statistics.tried(&tried.queue, tried.trial.began);
            let readiness = self.readiness(&state, &tried);
            if let Some(why) = verdict::judge(tried.trial, tried.weight, so_far, &readiness) {
                tried.end(&self.log, &why).await?;
            }
        }
        Ok(())
    }

    fn readiness(&self, state: &Deployment, tried: &OnTrial<'_>) -> Readiness {
        let func = plan::func_of(&state.routes, tried.route, tried.sha);
        match func.map(|func| self.status.borrow().readiness(state.number, &func)) {
            // Whoever could run it comes back: runners are replaced, and the other bundles of the route wait as well.
            Some(Readiness::Unserved(_)) | None => Readiness::Pending,
            Some(readiness) => readiness,
        }
    }
}

/// A bundle on trial.
struct OnTrial<'d> {
    queue: String,
    route: &'d RouteId,
    sha: &'d BundleSha,
    placement: &'d Labels,
    weight: u32,
    trial: &'d Trial,
}

impl<'d> OnTrial<'d> {
    fn of(route: &'d Route, bundle: &'d WeightedBundle) -> Option<Self> {
        let (queue, trial) = (route.queue(&bundle.sha), bundle.trial.as_ref()?);
        let WeightedBundle { sha, weight, placement, .. } = bundle;
        Some(Self { queue, route: &route.id, sha, placement, weight: *weight, trial })
    }

    /// Takes it off its route, unless somebody has, or has put it on trial anew.
    async fn end(&self, log: &Log, why: &str) -> Result<Arc<Deployment>, Rejection> {
        let Self { route, sha, trial, .. } = self;
        let decide = |state: &Deployment| Ok(desired::end_trial(state, route, sha, trial.began, why));
        let Committed { deployment, is_new } = log.commit(BY, decide).await?;
        if is_new {
            info!(%route, bundle = sha.short(), why, "trial ended, the bundle is off its route");
        }
        Ok(deployment)
    }
}

fn on_trial(routes: &[Route]) -> impl Iterator<Item = OnTrial<'_>> {
    routes.iter().flat_map(|route| route.bundles.iter().filter_map(|bundle| OnTrial::of(route, bundle)))
}

/// The queues of bundles on trial that nobody has loaded of those who are to, with the reason why nobody is sent there:
/// some of them may never load it. Where there are none at all, calls have to wait for one, or none would be started.
pub(crate) fn unloaded(routes: &[Route], holders: &Holders, members: &Members) -> BTreeMap<String, String> {
    let is_unloaded = |tried: &OnTrial<'_>| {
        let mut runners =
            status::candidates(&tried.queue, tried.placement, holders, members.infos()).peekable();
        let has_loaded = |runner: &MemberInfo| {
            runner.version >= tried.trial.began && !runner.failed.contains_key(&tried.queue)
        };
        runners.peek().is_some() && !runners.any(has_loaded)
    };
    let unloaded = on_trial(routes).filter(is_unloaded);
    unloaded.map(|tried| (tried.queue, "no runner has loaded it yet".to_owned())).collect()
}

/// The queues of bundles on trial, with the deployments that their trials began with.
pub(crate) fn queues(routes: &[Route]) -> HashMap<String, u64> {
    on_trial(routes).map(|tried| (tried.queue, tried.trial.began)).collect()
}

/// Takes a bundle that was just put on trial off its route if it cannot be run; the state after that.
pub(crate) async fn give_up(
    log: &Log,
    deployed: &Deployment,
    route: &RouteId,
    sha: &BundleSha,
    readiness: &Readiness,
) -> Result<Option<Arc<Deployment>>, Rejection> {
    let is_meant = |tried: &OnTrial<'_>| tried.route == route && tried.sha == sha;
    let Some(tried) = on_trial(&deployed.routes).find(is_meant) else { return Ok(None) };
    match verdict::judge(tried.trial, tried.weight, Tried::default(), readiness) {
        Some(why) => tried.end(log, &why).await.map(Some),
        None => Ok(None),
    }
}

/// How the bundles on trial do.
pub(crate) fn reports(state: &Deployment, statistics: &Statistics) -> Vec<TrialReport> {
    let report = |tried: OnTrial<'_>| {
        let so_far = statistics.tried(&tried.queue, tried.trial.began);
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
    on_trial(&state.routes).map(report).collect()
}
