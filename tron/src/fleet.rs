//! `Fleet`: who could run Funcs, as far as is known. Pure.

use wire::Labels;

/// Runners that are there, and pools that could start some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fleet {
    /// What each runner has that is there to stay.
    pub(crate) runners: Vec<Labels>,
    /// What the runners of each pool have that may have any.
    pub(crate) pools: Vec<Labels>,
}

impl Fleet {
    /// Why nobody can run a Func that asks for this. One that asks for nothing waits for whoever comes.
    pub(crate) fn lacks(&self, placement: &Labels) -> Option<String> {
        let mut all = self.runners.iter().chain(&self.pools);
        if placement.is_empty() || all.any(|labels| labels.include(placement)) {
            return None;
        }
        Some(format!("no runner has {placement} and no pool can start one"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_everything_that_is_asked_for_can_run_a_func() {
        let labels = |text: &str| text.parse::<Labels>().unwrap();
        let fleet = Fleet { runners: vec![labels("gpu=true,zone=a")], pools: vec![labels("zone=b")] };
        for placement in ["", "gpu=true", "gpu=true,zone=a", "zone=b"] {
            assert_eq!(fleet.lacks(&labels(placement)), None, "{placement}");
        }
        let why = "no runner has gpu=true,zone=b and no pool can start one";
        assert_eq!(fleet.lacks(&labels("gpu=true,zone=b")).as_deref(), Some(why));
        assert_eq!(Fleet::default().lacks(&labels("")), None, "it waits as it always did");
    }
}
