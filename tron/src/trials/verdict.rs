//! Whether a bundle on trial has to go. Pure.

use wire::{Percent, Trial};

use crate::stats::Tried;

/// Why a bundle has to go that has come to this; nothing while it does well, or has not done enough.
pub(super) fn judge(trial: &Trial, tried: Tried) -> Option<String> {
    let exceeds = |some: u64, all: u64, max: Percent| all >= trial.calls_min && max.is_exceeded_by(some, all);
    let Tried { calls, failures, compared, different } = tried;
    if exceeds(different, compared, trial.differences_max) {
        let max = trial.differences_max;
        return Some(format!("{different} of {compared} copies were answered otherwise, {max} may be"));
    }
    if exceeds(failures, calls, trial.failures_max) {
        let max = trial.failures_max;
        return Some(format!("{failures} of {calls} calls failed, {max} may"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(calls: u64, failures: u64, compared: u64, different: u64) -> Option<String> {
        let trial = Trial {
            mirror: Percent::ALL,
            failures_max: "5%".parse().unwrap(),
            differences_max: Percent::NONE,
            calls_min: 20,
        };
        judge(&trial, Tried { calls, failures, compared, different })
    }

    #[test]
    fn a_bundle_goes_when_it_does_worse_than_allowed() {
        let why = |text: &str| Some(text.to_owned());
        assert_eq!(judged(0, 0, 100, 1), why("1 of 100 copies were answered otherwise, 0% may be"));
        assert_eq!(judged(100, 6, 0, 0), why("6 of 100 calls failed, 5% may"));
    }

    #[test]
    fn a_bundle_stays_while_it_does_well_or_too_little() {
        assert_eq!(judged(0, 0, 0, 0), None);
        assert_eq!(judged(100, 5, 100, 0), None);
        assert_eq!(judged(19, 19, 19, 19), None, "so few calls say nothing");
    }
}
