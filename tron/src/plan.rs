//! `Plan`: what runners are to do, replaced bundles that still have calls included. Pure.

use std::time::Duration;

use tokio::time::Instant;
use wire::admin::Deployment;
use wire::{Assignment, BundleSha, Control, FuncAssignment, Route, Version};

/// What runners are to do.
#[derive(Debug)]
pub(crate) struct Plan {
    deployment: Option<u64>,
    routes: Vec<Route>,
    version: u64,
    wanted: Vec<FuncAssignment>,
    draining: Vec<Draining>,
    /// Queues that nobody needs any more and that are not deleted yet.
    drained: Vec<String>,
}

/// A Func that gets no new calls and answers those that it has.
#[derive(Debug)]
struct Draining {
    func: FuncAssignment,
    since: Instant,
}

impl Plan {
    /// A plan of nothing; versions of assignments grow from `version`.
    pub(crate) fn new(version: u64) -> Self {
        let (routes, wanted, draining, drained) = Default::default();
        Self { deployment: None, routes, version, wanted, draining, drained }
    }

    /// The number of the deployment that the plan is for.
    pub(crate) fn deployment(&self) -> Option<u64> {
        self.deployment
    }

    /// The version of the assignment.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Plans for this deployment: what it no longer names drains, what it names again stays.
    pub(crate) fn adopt(&mut self, deployment: &Deployment, now: Instant) {
        let wanted = funcs(&deployment.routes);
        let is_wanted = |queue: &str| wanted.iter().any(|func| func.queue == queue);
        self.draining.retain(|draining| !is_wanted(&draining.func.queue));
        self.drained.retain(|queue| !is_wanted(queue));
        let replaced = self.wanted.iter().filter(|func| !is_wanted(&func.queue)).cloned();
        self.draining.extend(replaced.map(|func| Draining { func, since: now }));
        if self.wanted != wanted {
            self.version += 1;
        }
        self.wanted = wanted;
        self.routes.clone_from(&deployment.routes);
        self.deployment = Some(deployment.number);
    }

    /// The queues that have been draining for as long as `grace`: by now nobody sends to them.
    pub(crate) fn settled(&self, now: Instant, grace: Duration) -> Vec<String> {
        let is_settled = |draining: &&Draining| now.duration_since(draining.since) >= grace;
        self.draining.iter().filter(is_settled).map(|draining| draining.func.queue.clone()).collect()
    }

    /// The queue is empty: runners need not serve it any more, and it may be deleted.
    pub(crate) fn drained(&mut self, queue: String) {
        self.draining.retain(|draining| draining.func.queue != queue);
        self.version += 1;
        self.drained.push(queue);
    }

    /// The queues to delete.
    pub(crate) fn to_delete(&self) -> Vec<String> {
        self.drained.clone()
    }

    /// The queue is gone.
    pub(crate) fn deleted(&mut self, queue: &str) {
        self.drained.retain(|drained| drained != queue);
    }

    /// The bundles that runners need although no route names them.
    pub(crate) fn draining(&self) -> Vec<BundleSha> {
        self.draining.iter().map(|draining| draining.func.sha.clone()).collect()
    }

    /// The message to whoever dispatches.
    pub(crate) fn to_routes(&self) -> Control {
        Control::Routes {
            v: Version,
            version: self.deployment.unwrap_or_default(),
            routes: self.routes.clone(),
        }
    }

    /// The message to runners.
    pub(crate) fn to_assignment(&self) -> Control {
        let draining = self.draining.iter().map(|draining| &draining.func);
        let funcs = self.wanted.iter().chain(draining).cloned().collect();
        Control::Assignment(Assignment { v: Version, version: self.version, funcs })
    }
}

/// One Func per bundle of every route.
pub(crate) fn funcs(routes: &[Route]) -> Vec<FuncAssignment> {
    let of_route =
        |route: &Route| route.bundles.iter().map(|bundle| func(route, &bundle.sha)).collect::<Vec<_>>();
    routes.iter().flat_map(of_route).collect()
}

fn func(route: &Route, sha: &BundleSha) -> FuncAssignment {
    FuncAssignment {
        queue: route.queue(sha),
        route: route.id.clone(),
        namespace: route.namespace.clone(),
        base_path: route.base_path.clone(),
        sha: sha.clone(),
        props: route.props.clone(),
        outbound: route.outbound.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::tests::{route, sha, state};

    fn assigned(plan: &Plan) -> Vec<BundleSha> {
        match plan.to_assignment() {
            Control::Assignment(assignment) => assignment.funcs.into_iter().map(|func| func.sha).collect(),
            Control::Routes { .. } | Control::Cancel { .. } => Vec::new(),
        }
    }

    #[test]
    fn a_replaced_bundle_is_served_until_it_is_drained() {
        let (grace, start) = (Duration::from_secs(2), Instant::now());
        let mut plan = Plan::new(0);
        plan.adopt(&state(1, vec![route("*", "/a", 0)]), start);
        plan.adopt(&state(2, vec![route("*", "/a", 1)]), start);
        assert_eq!(assigned(&plan), [sha(1), sha(0)]);
        assert_eq!(plan.draining(), [sha(0)]);
        assert!(plan.settled(start, grace).is_empty());
        let queue = route("*", "/a", 0).queue(&sha(0));
        assert_eq!(plan.settled(start + grace, grace), std::slice::from_ref(&queue));
        plan.drained(queue);
        assert_eq!(assigned(&plan), [sha(1)]);
        assert_eq!(plan.version(), 3);
    }

    #[test]
    fn a_drained_queue_is_to_be_deleted_until_it_is_or_is_wanted_again() {
        let now = Instant::now();
        let queue = route("*", "/a", 0).queue(&sha(0));
        let mut plan = Plan::new(0);
        plan.adopt(&state(1, vec![route("*", "/a", 0)]), now);
        plan.adopt(&state(2, vec![route("*", "/a", 1)]), now);
        plan.drained(queue.clone());
        assert_eq!(plan.to_delete(), std::slice::from_ref(&queue));
        plan.adopt(&state(3, vec![route("*", "/a", 0)]), now);
        assert!(plan.to_delete().is_empty());

        plan.adopt(&state(4, vec![route("*", "/a", 1)]), now);
        plan.drained(queue.clone());
        plan.deleted(&queue);
        assert!(plan.to_delete().is_empty());
    }

    #[test]
    fn a_bundle_that_comes_back_stops_draining() {
        let now = Instant::now();
        let mut plan = Plan::new(0);
        for (number, bundle) in [(1, 0), (2, 1), (3, 0)] {
            plan.adopt(&state(number, vec![route("*", "/a", bundle)]), now);
        }
        assert_eq!(assigned(&plan), [sha(0), sha(1)]);
        assert_eq!(plan.draining(), [sha(1)]);
    }

    #[test]
    fn a_change_of_weights_is_none_for_runners() {
        let now = Instant::now();
        let mut plan = Plan::new(7);
        let mut shared = route("*", "/a", 0);
        plan.adopt(&state(1, vec![shared.clone()]), now);
        shared.bundles.iter_mut().for_each(|bundle| bundle.weight = 1);
        plan.adopt(&state(2, vec![shared]), now);
        assert_eq!((plan.version(), plan.deployment()), (8, Some(2)));
    }
}
