//! How bundles on trial do, in words.

use wire::admin::TrialReport;

/// How a bundle on trial does.
pub(crate) fn told(report: &TrialReport) -> String {
    let TrialReport { trial, weight, calls, failures, compared, different, .. } = report;
    let sha = report.sha.short();
    let (mirror, different_max, failures_max) = (trial.mirror, trial.differences_max, trial.failures_max);
    let copies =
        format!("{different} of {compared} copies ({mirror}) answered otherwise, {different_max} may be");
    match weight {
        0 => format!("{sha}: {copies}"),
        _ => format!("{sha}: {copies}; {failures} of {calls} calls ({weight}%) failed, {failures_max} may"),
    }
}

#[cfg(test)]
mod tests {
    use wire::{BundleSha, Namespace, RouteId, Trial};

    use super::*;

    #[test]
    fn a_trial_is_told_in_a_line() {
        let share = |text: &str| text.parse().unwrap();
        let trial = Trial {
            mirror: share("10%"),
            failures_max: share("1%"),
            differences_max: share("0%"),
            calls_min: 20,
            began: 1,
        };
        let (route, sha) = (RouteId::of(&Namespace::default(), "*", "/a"), BundleSha::of(b"new"));
        let report =
            TrialReport { route, sha, trial, weight: 0, calls: 5, failures: 1, compared: 40, different: 2 };
        let short = report.sha.short().to_owned();
        let copies = "2 of 40 copies (10%) answered otherwise, 0% may be";
        assert_eq!(told(&report), format!("{short}: {copies}"));
        let canary = TrialReport { weight: 10, ..report };
        assert_eq!(told(&canary), format!("{short}: {copies}; 1 of 5 calls (10%) failed, 1% may"));
    }
}
