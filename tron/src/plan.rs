//! `Plan`: what runners are to do, replaced bundles that still have calls included. Pure: two Trons that
//! read the same log and see the same queues come to the same plan.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wire::admin::Deployment;
use wire::broker::Depth;
use wire::{
    Assignment, BundleSha, Control, FuncAssignment, Labels, Mirror, Route, RouteId, Version, WeightedBundle,
};

use crate::balance::Holders;
use crate::stage::Stage;

/// What runners are to do.
#[derive(Debug)]
pub(crate) struct Plan {
    deployment: Option<u64>,
    /// Counts what changes about what runners are to do.
    revision: u64,
    routes: Vec<Route>,
    wanted: Vec<FuncAssignment>,
    /// Funcs that recent deployments had and this one has not, by queue.
    replaced: BTreeMap<String, Replaced>,
    /// How long whoever dispatches may go on using the table before a change.
    grace: Duration,
}

/// A Func that gets no new calls and answers those that it has.
#[derive(Debug)]
struct Replaced {
    func: FuncAssignment,
    stage: Stage,
}

impl Plan {
    /// A plan of nothing.
    pub(crate) fn new(grace: Duration) -> Self {
        let (routes, wanted, replaced) = Default::default();
        Self { deployment: None, revision: 0, routes, wanted, replaced, grace }
    }

    /// The number of the deployment that the plan is for, which is the version of all that follows from it.
    pub(crate) fn deployment(&self) -> Option<u64> {
        self.deployment
    }

    /// Which plan this is: another number for whatever changes about what runners are to do.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The routes of the deployment.
    pub(crate) fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Every Func that a route names.
    pub(crate) fn wanted(&self) -> &[FuncAssignment] {
        &self.wanted
    }

    /// The Funcs of this deployment that the plan does not have.
    pub(crate) fn added(&self, deployment: &Deployment) -> Vec<FuncAssignment> {
        let known: HashSet<&str> = self.wanted.iter().map(|func| &*func.queue).collect();
        let mut funcs = funcs(&deployment.routes);
        funcs.retain(|func| !known.contains(&*func.queue));
        funcs
    }

    /// Plans for this deployment: what it no longer names drains, what it names again stays. What those
    /// `before` it named, newest first, may have left queues behind.
    pub(crate) fn adopt(&mut self, deployment: &Deployment, before: &[Arc<Deployment>], now: Instant) {
        let wanted = funcs(&deployment.routes);
        let names: HashSet<&str> = wanted.iter().map(|func| &*func.queue).collect();
        let mut replaced = std::mem::take(&mut self.replaced);
        replaced.retain(|queue, replaced| !names.contains(&**queue) && replaced.stage != Stage::Gone);
        for func in self.wanted.drain(..).filter(|func| !names.contains(&*func.queue)) {
            replaced.insert(func.queue.clone(), Replaced { func, stage: Stage::Draining { busy_at: now } });
        }
        for route in before.iter().flat_map(|deployment| &deployment.routes) {
            for bundle in &route.bundles {
                let queue = route.queue(&bundle.sha);
                if !names.contains(&*queue) {
                    let left = || Replaced { func: func(route, bundle), stage: Stage::Gone };
                    replaced.entry(queue).or_insert_with(left);
                }
            }
        }
        self.replaced = replaced;
        self.wanted = wanted;
        self.routes.clone_from(&deployment.routes);
        self.deployment = Some(deployment.number);
        self.revision += 1;
    }

    /// The queues of all Funcs, those of replaced ones as far as they are known to be there, with what each Func asks
    /// of a runner.
    pub(crate) fn queues(&self) -> BTreeMap<String, Labels> {
        let funcs = self.wanted.iter().chain(self.left().map(|replaced| &replaced.func));
        funcs.map(|func| (func.queue.clone(), func.placement.clone())).collect()
    }

    /// The queues of replaced Funcs that are there, as far as is known.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        self.left().map(|replaced| replaced.func.queue.clone()).collect()
    }

    /// The queues that replaced Funcs have or had: somebody who was away may have made one again.
    pub(crate) fn suspects(&self) -> Vec<String> {
        self.replaced.keys().cloned().collect()
    }

    /// Takes note of what a replaced Func's queue holds; whether nobody needs it any more.
    pub(crate) fn see(&mut self, queue: &str, depth: Option<Depth>, now: Instant) -> bool {
        let Some(replaced) = self.replaced.get_mut(queue) else { return false };
        let before = replaced.stage;
        replaced.stage = before.after(depth, now, self.grace);
        self.revision += u64::from(before.is_served() != replaced.stage.is_served());
        replaced.stage == Stage::Abandoned
    }

    /// The bundles that runners need although no route names them.
    pub(crate) fn draining(&self) -> Vec<BundleSha> {
        self.left().map(|replaced| replaced.func.sha.clone()).collect()
    }

    /// The message to whoever dispatches.
    pub(crate) fn to_routes(&self, unserved: BTreeMap<String, String>) -> Control {
        let version = self.deployment.unwrap_or_default();
        Control::Routes { v: Version, version, routes: self.routes.clone(), unserved }
    }

    /// What runners are to serve, whoever of them.
    pub(crate) fn assigned(&self) -> Vec<FuncAssignment> {
        let draining = self.replaced.values().filter(|replaced| replaced.stage.is_served());
        let draining = draining.map(|replaced| FuncAssignment { draining: true, ..replaced.func.clone() });
        self.wanted.iter().cloned().chain(draining).collect()
    }

    /// The message to runners, with who of them is to serve what not everybody can.
    pub(crate) fn to_assignment(&self, holders: &Holders) -> Control {
        let mut funcs = self.assigned();
        funcs.iter_mut().for_each(|func| func.on = holders.get(&func.queue).cloned());
        let version = self.deployment.unwrap_or_default();
        Control::Assignment(Assignment { v: Version, version, funcs })
    }

    fn left(&self) -> impl Iterator<Item = &Replaced> {
        self.replaced.values().filter(|replaced| replaced.stage != Stage::Gone)
    }
}

/// One Func per bundle of every route.
pub(crate) fn funcs(routes: &[Route]) -> Vec<FuncAssignment> {
    let of_route = |route: &Route| route.bundles.iter().map(|bundle| func(route, bundle)).collect::<Vec<_>>();
    routes.iter().flat_map(of_route).collect()
}

/// The Func of this bundle on this route, if there is one.
pub(crate) fn func_of(routes: &[Route], id: &RouteId, sha: &BundleSha) -> Option<FuncAssignment> {
    let route = routes.iter().find(|route| route.id == *id)?;
    route.bundles.iter().find(|bundle| bundle.sha == *sha).map(|bundle| func(route, bundle))
}

fn func(route: &Route, bundle: &WeightedBundle) -> FuncAssignment {
    FuncAssignment {
        queue: route.queue(&bundle.sha),
        route: route.id.clone(),
        namespace: route.namespace.clone(),
        base_path: route.base_path.clone(),
        sha: bundle.sha.clone(),
        props: route.props.clone(),
        outbound: route.outbound.clone(),
        placement: bundle.placement.clone(),
        on: None,
        draining: false,
        mirrors: mirrors(route, bundle),
    }
}

/// The bundles on trial that get copies of a bundle's calls; one that is on trial itself sets no standard.
fn mirrors(route: &Route, bundle: &WeightedBundle) -> Vec<Mirror> {
    if bundle.trial.is_some() {
        return Vec::new();
    }
    let on_trial = route.bundles.iter().filter_map(|other| Some((other, other.trial.as_ref()?)));
    on_trial.map(|(other, trial)| Mirror { queue: route.queue(&other.sha), share: trial.mirror }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::tests::{route, sha, state};

    const GRACE: Duration = Duration::from_secs(2);
    const EMPTY: Depth = Depth { ready: 0, unsettled: None, consumers: 0, held_back: 0 };

    /// The plan of the last of these deployments, by somebody who has just read all of them.
    fn plan(bundles: &[u8], now: Instant) -> Plan {
        let mut states: Vec<Deployment> =
            (1..).zip(bundles).map(|(number, n)| state(number, vec![route("*", "/a", *n)])).collect();
        let current = states.pop().unwrap();
        let mut plan = Plan::new(GRACE);
        plan.adopt(&current, &states.into_iter().rev().map(Arc::new).collect::<Vec<_>>(), now);
        plan
    }

    fn assigned(plan: &Plan) -> Vec<(BundleSha, bool)> {
        match plan.to_assignment(&Holders::new()) {
            Control::Assignment(assignment) => {
                assignment.funcs.into_iter().map(|func| (func.sha, func.draining)).collect()
            }
            Control::Routes { .. } | Control::Observation(_) | Control::Cancel { .. } => Vec::new(),
        }
    }

    fn queue(n: u8) -> String {
        route("*", "/a", n).queue(&sha(n))
    }

    #[test]
    fn a_replaced_bundle_is_served_until_it_is_drained() {
        let start = Instant::now();
        let mut plan = plan(&[0], start);
        plan.adopt(&state(2, vec![route("*", "/a", 1)]), &[], start);
        assert_eq!(assigned(&plan), [(sha(1), false), (sha(0), true)]);
        assert_eq!(plan.draining(), [sha(0)]);
        let served = Depth { consumers: 1, ..EMPTY };
        assert!(!plan.see(&queue(0), Some(served), start + GRACE));
        assert_eq!(assigned(&plan), [(sha(1), false)]);
        assert_eq!(plan.draining(), [sha(0)], "a runner may still be busy with its last call");
        assert!(plan.see(&queue(0), Some(EMPTY), start + GRACE));
        assert!(!plan.see(&queue(0), None, start + GRACE));
        assert!(plan.draining().is_empty());
    }

    #[test]
    fn a_tron_that_was_not_there_finds_what_was_left() {
        let now = Instant::now();
        let mut newcomer = plan(&[0, 1, 2], now);
        assert_eq!(assigned(&newcomer), [(sha(2), false)]);
        let mut suspects = vec![queue(0), queue(1)];
        suspects.sort();
        assert_eq!(newcomer.suspects(), suspects);
        newcomer.see(&queue(0), Some(Depth { ready: 3, ..EMPTY }), now);
        newcomer.see(&queue(1), None, now);
        assert_eq!(newcomer.leftovers(), [queue(0)]);

        let mut witness = plan(&[0], now);
        witness.adopt(&state(2, vec![route("*", "/a", 1)]), &[], now);
        witness.adopt(&state(3, vec![route("*", "/a", 2)]), &[], now);
        witness.see(&queue(1), None, now);
        assert_eq!(newcomer.assigned(), witness.assigned());
    }

    #[test]
    fn a_bundle_that_comes_back_stops_draining() {
        let now = Instant::now();
        let mut plan = plan(&[0], now);
        for (number, bundle) in [(2, 1), (3, 0)] {
            plan.adopt(&state(number, vec![route("*", "/a", bundle)]), &[], now);
        }
        assert_eq!(assigned(&plan), [(sha(0), false), (sha(1), true)]);
        assert!(!plan.see(&queue(0), Some(EMPTY), now + GRACE * 2), "it is wanted");
        assert_eq!(plan.deployment(), Some(3));
    }

    #[test]
    fn only_what_is_new_is_declared_again() {
        let plan = plan(&[0], Instant::now());
        let both = state(2, vec![route("*", "/a", 0), route("*", "/b", 1)]);
        let added: Vec<BundleSha> = plan.added(&both).into_iter().map(|func| func.sha).collect();
        assert_eq!(added, [sha(1)]);
    }
}
