//! `Placement`: who runs which Funcs, and which of them nobody can run, followed as members come and go.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::{error, info};
use wire::FuncAssignment;

use crate::balance::{self, Holders};
use crate::fleet::Fleet;

/// Who runs which Funcs.
#[derive(Debug, Default)]
pub(crate) struct Placement {
    /// What it was worked out from.
    known: Option<Known>,
    holders: Arc<Holders>,
    unserved: BTreeMap<String, String>,
}

/// What placement follows from. It is worked out again when this changes, and not with every heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// Which plan.
    pub(crate) plan: u64,
    /// Which members; none while there may be some that we have not heard of.
    pub(crate) members: Option<u64>,
}

impl Placement {
    /// The queues whose Funcs nobody can run, and why.
    pub(crate) fn unserved(&self) -> &BTreeMap<String, String> {
        &self.unserved
    }

    /// Who holds the Funcs that not everybody can hold who may.
    pub(crate) fn holders(&self) -> &Arc<Holders> {
        &self.holders
    }

    /// Works it out again if there is reason to; whether it changed. Nobody is said to be missing, or given another's
    /// Funcs, before everybody who is there had the time to say so.
    pub(crate) fn update(
        &mut self,
        known: Known,
        funcs: impl FnOnce() -> Vec<FuncAssignment>,
        fleet: impl FnOnce() -> Fleet,
    ) -> bool {
        if self.known.replace(known) == Some(known) {
            return false;
        }
        let (holders, unserved) = match known.members {
            Some(_) => place(&funcs(), &fleet()),
            None => (Holders::clone(&self.holders), BTreeMap::new()),
        };
        let before = std::mem::replace(&mut self.unserved, unserved);
        tell(&before, &self.unserved);
        let changed = before != self.unserved || *self.holders != holders;
        self.holders = Arc::new(holders);
        changed
    }
}

fn place(funcs: &[FuncAssignment], fleet: &Fleet) -> (Holders, BTreeMap<String, String>) {
    let holders = balance::share(funcs, &fleet.runners);
    let gap = |func: &FuncAssignment| match holders.get(&func.queue) {
        Some(on) if on.is_empty() => fleet.is_full(&func.placement),
        _ => fleet.lacks(&func.placement),
    };
    // What drains gets no new calls.
    let called = funcs.iter().filter(|func| !func.draining);
    let unserved = called.filter_map(|func| Some((func.queue.clone(), gap(func)?))).collect();
    (holders, unserved)
}

/// Raises the alarm once for each reason, however many Funcs it is the reason for.
fn tell(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (queue, why) in now.iter().filter(|(queue, why)| before.get(*queue) != Some(*why)) {
        reasons.entry(why).or_default().push(queue);
    }
    for (why, queues) in reasons {
        error!(why, funcs = queues.len(), queue = queues[0], "nobody can run a func");
    }
    let again = before.keys().filter(|queue| !now.contains_key(*queue)).count();
    if again > 0 {
        info!(funcs = again, "funcs can be run again");
    }
}

#[cfg(test)]
mod tests {
    use wire::MemberId;

    use super::*;
    use crate::desired::tests::{route, state};
    use crate::fleet::Runner;
    use crate::plan;

    #[test]
    fn nobody_is_missing_before_everybody_could_be_heard() {
        let mut asking = route("*", "/a", 0);
        asking.bundles[0].placement = "gpu=true".parse().unwrap();
        let funcs = plan::funcs(&state(1, vec![asking, route("*", "/b", 1)]).routes);
        let mut placement = Placement::default();
        let nobody_yet = Known { plan: 1, members: None };
        assert!(!placement.update(nobody_yet, || funcs.clone(), Fleet::default));
        assert!(placement.unserved().is_empty());
        let nobody = Known { members: Some(0), ..nobody_yet };
        assert!(placement.update(nobody, || funcs.clone(), Fleet::default));
        assert_eq!(placement.unserved().keys().collect::<Vec<_>>(), [&funcs[0].queue]);
        assert!(!placement.update(nobody, || funcs.clone(), || panic!("nothing has changed")));
        let gpu = |funcs_max| Runner {
            id: MemberId::parse("runner-1").unwrap(),
            labels: "gpu=true".parse().unwrap(),
            funcs_max,
        };
        let fleet = |funcs_max| move || Fleet { runners: vec![gpu(funcs_max)], pools: Vec::new() };
        assert!(placement.update(Known { members: Some(1), ..nobody }, || funcs.clone(), fleet(None)));
        assert!(placement.unserved().is_empty() && placement.holders().is_empty());
        assert!(placement.update(Known { members: Some(2), ..nobody }, || funcs.clone(), fleet(Some(1))));
        assert_eq!(placement.holders().len(), 2);
        let why = "the runners are full (funcs-max) and no pool can start another";
        assert_eq!(*placement.unserved(), [(funcs[1].queue.clone(), why.to_owned())].into());
        assert!(placement.update(nobody_yet, || funcs.clone(), Fleet::default), "nobody is missing now");
        assert_eq!(placement.holders().len(), 2, "nothing moves before more is known");
    }
}
