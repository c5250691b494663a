//! Whether a bundle on trial has to go. Pure.

use wire::{Percent, Trial};

use crate::stats::Tried;
use crate::status::Readiness;

/// Why a bundle of this weight has to go that has come to this; nothing while it does well, or has not done enough.
pub(super) fn judge(trial: &Trial, weight: u32, tried: Tried, readiness: &Readiness) -> Option<String> {
    match readiness {
        // Its calls wait for nothing.
        Readiness::Failed(reason) => return Some(format!("no runner could load it: {reason}")),
        // Copies can wait until somebody comes who can run them; clients are told 503.
        Readiness::Unserved(reason) if weight > 0 => return Some(format!("nobody can run it: {reason}")),
        Readiness::Unserved(_) | Readiness::Ready | Readiness::Pending => {}
    }
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

    fn trial() -> Trial {
        Trial {
            mirror: Percent::ALL,
            failures_max: "5%".parse().unwrap(),
            differences_max: Percent::NONE,
            calls_min: 20,
            began: 1,
        }
    }

    fn judged(calls: u64, failures: u64, compared: u64, different: u64) -> Option<String> {
        judge(&trial(), 10, Tried { calls, failures, compared, different }, &Readiness::Ready)
    }

    #[test]
    fn a_bundle_that_cannot_be_run_goes_unless_only_copies_wait_for_somebody_who_can() {
        let judged = |weight, readiness| judge(&trial(), weight, Tried::default(), &readiness);
        let failed = Readiness::Failed("no memory".into());
        assert_eq!(judged(0, failed).as_deref(), Some("no runner could load it: no memory"));
        let unserved = || Readiness::Unserved("no runner has gpu=true".into());
        assert_eq!(judged(1, unserved()).as_deref(), Some("nobody can run it: no runner has gpu=true"));
        assert_eq!((judged(0, unserved()), judged(1, Readiness::Pending)), (None, None));
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
