//! `Fleet`: who could run Funcs, as far as is known. Pure.

use wire::{Labels, MemberId};

/// Runners that are there, and pools that could start some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fleet {
    /// Every runner that is there to stay.
    pub(crate) runners: Vec<Runner>,
    /// The pools that may have runners.
    pub(crate) pools: Vec<Pool>,
}

/// A runner, as far as it matters to what it could run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runner {
    pub(crate) id: MemberId,
    pub(crate) labels: Labels,
    /// How many Funcs it holds at most.
    pub(crate) funcs_max: Option<usize>,
}

/// A pool, as far as it matters to what its runners could run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pool {
    pub(crate) labels: Labels,
    /// Whether further runners of it may come.
    pub(crate) grows: bool,
}

impl Fleet {
    /// Why nobody can run a Func that asks for this. One that asks for nothing waits for whoever comes.
    pub(crate) fn lacks(&self, placement: &Labels) -> Option<String> {
        let mut all = self
            .runners
            .iter()
            .map(|runner| &runner.labels)
            .chain(self.pools.iter().map(|pool| &pool.labels));
        if placement.is_empty() || all.any(|labels| labels.include(placement)) {
            return None;
        }
        Some(format!("no runner has {placement} and no pool can start one"))
    }

    /// Why a Func that asks for this stays without a runner, of which none has room.
    pub(crate) fn is_full(&self, placement: &Labels) -> Option<String> {
        if self.pools.iter().any(|pool| pool.grows && pool.labels.include(placement)) {
            return None;
        }
        let which = if placement.is_empty() { String::new() } else { format!(" that have {placement}") };
        Some(format!("the runners{which} are full (funcs-max) and no pool can start another"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Labels {
        text.parse().unwrap()
    }

    fn fleet() -> Fleet {
        let id = MemberId::parse("runner-1").unwrap();
        let runner = Runner { id, labels: labels("gpu=true,zone=a"), funcs_max: Some(1) };
        let pool = |text: &str, grows| Pool { labels: labels(text), grows };
        Fleet { runners: vec![runner], pools: vec![pool("zone=b", true), pool("zone=c", false)] }
    }

    #[test]
    fn only_who_has_everything_that_is_asked_for_can_run_a_func() {
        for placement in ["", "gpu=true", "gpu=true,zone=a", "zone=b", "zone=c"] {
            assert_eq!(fleet().lacks(&labels(placement)), None, "{placement}");
        }
        let why = "no runner has gpu=true,zone=b and no pool can start one";
        assert_eq!(fleet().lacks(&labels("gpu=true,zone=b")).as_deref(), Some(why));
        assert_eq!(Fleet::default().lacks(&labels("")), None, "it waits as it always did");
    }

    #[test]
    fn a_pool_that_grows_has_room() {
        for placement in ["", "zone=b"] {
            assert_eq!(fleet().is_full(&labels(placement)), None, "{placement}");
        }
        let why = "the runners that have zone=c are full (funcs-max) and no pool can start another";
        assert_eq!(fleet().is_full(&labels("zone=c")).as_deref(), Some(why));
        let why = "the runners are full (funcs-max) and no pool can start another";
        assert_eq!(Fleet::default().is_full(&labels("")).as_deref(), Some(why));
    }
}
