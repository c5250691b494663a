//! `Placement`: which Funcs nobody can run, followed as members come and go.

use std::collections::BTreeMap;

use tracing::{error, info};
use wire::FuncAssignment;

use crate::fleet::Fleet;

/// Which Funcs nobody can run.
#[derive(Debug, Default)]
pub(crate) struct Placement {
    /// What it was worked out from.
    known: Option<Known>,
    unserved: BTreeMap<String, String>,
}

/// What placement follows from. It is worked out again when this changes, and not with every heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// Of the plan.
    pub(crate) deployment: u64,
    /// Of the members; none while there may be some that we have not heard of.
    pub(crate) members: Option<u64>,
}

impl Placement {
    /// The queues whose Funcs nobody can run, and why.
    pub(crate) fn unserved(&self) -> &BTreeMap<String, String> {
        &self.unserved
    }

    /// Works it out again if there is reason to; whether it changed. Nobody is said to be missing before everybody
    /// who is there had the time to say so.
    pub(crate) fn update(
        &mut self,
        known: Known,
        funcs: &[FuncAssignment],
        fleet: impl FnOnce() -> Fleet,
    ) -> bool {
        if self.known.replace(known) == Some(known) {
            return false;
        }
        let unserved = match known.members {
            Some(_) => unserved(funcs, &fleet()),
            None => BTreeMap::new(),
        };
        let before = std::mem::replace(&mut self.unserved, unserved);
        tell(&before, &self.unserved);
        before != self.unserved
    }
}

fn unserved(funcs: &[FuncAssignment], fleet: &Fleet) -> BTreeMap<String, String> {
    let gap = |func: &FuncAssignment| Some((func.queue.clone(), fleet.lacks(&func.placement)?));
    funcs.iter().filter_map(gap).collect()
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
    use super::*;
    use crate::desired::tests::{route, state};
    use crate::plan;

    #[test]
    fn nobody_is_missing_before_everybody_could_be_heard() {
        let mut asking = route("*", "/a", 0);
        asking.bundles[0].placement = "gpu=true".parse().unwrap();
        let funcs = plan::funcs(&state(1, vec![asking, route("*", "/b", 1)]).routes);
        let mut placement = Placement::default();
        let nobody_yet = Known { deployment: 1, members: None };
        assert!(!placement.update(nobody_yet, &funcs, Fleet::default));
        assert!(placement.unserved().is_empty());
        let nobody = Known { members: Some(0), ..nobody_yet };
        assert!(placement.update(nobody, &funcs, Fleet::default));
        assert_eq!(placement.unserved().keys().collect::<Vec<_>>(), [&funcs[0].queue]);
        assert!(!placement.update(nobody, &funcs, || panic!("nothing has changed")));
        let fleet = || Fleet { runners: vec!["gpu=true".parse().unwrap()], pools: Vec::new() };
        assert!(placement.update(Known { members: Some(1), ..nobody }, &funcs, fleet));
        assert!(placement.unserved().is_empty());
    }
}
