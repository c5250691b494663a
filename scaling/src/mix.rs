//! `Mix`: how the calls of a pool are mixed, which says how much room their load needs.

use crate::median::median;
use crate::{RunnerSample, ServiceSample};

/// More than that is one mistaken runner, or so rare that no room would help.
const SPREAD_MAX: f64 = 4.0;

/// How the calls of a pool are mixed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mix {
    /// The part that is not of the largest Func: how little of the work waits in one line.
    pub(crate) apart: f64,
    /// How much longer than most some calls take.
    pub(crate) spread: f64,
}

impl Mix {
    /// All of one kind.
    pub(crate) const ONE: Self = Self { apart: 0.0, spread: 1.0 };

    /// What most of these runners have.
    pub(crate) fn of(runners: &[&RunnerSample]) -> Self {
        let apart = runners.iter().map(|runner| 1.0 - largest_part(runner, |_| 1.0));
        let spread = runners.iter().map(|runner| spread(runner));
        Self {
            apart: median(apart).unwrap_or(Self::ONE.apart),
            spread: median(spread).unwrap_or(Self::ONE.spread),
        }
    }

    /// This part of the way from here to there.
    pub(crate) fn towards(self, other: Self, part: f64) -> Self {
        let part = part.clamp(0.0, 1.0);
        Self {
            apart: self.apart + part * (other.apart - self.apart),
            spread: self.spread + part * (other.spread - self.spread),
        }
    }
}

impl Default for Mix {
    fn default() -> Self {
        Self::ONE
    }
}

/// The part of a runner's work that its largest Func makes for; all as long as nothing is known.
pub(crate) fn largest_part_of_work(runner: &RunnerSample) -> f64 {
    largest_part(runner, seconds)
}

fn seconds(sample: &ServiceSample) -> f64 {
    sample.service.as_secs_f64()
}

/// The part that the largest Func of a runner makes for, with its calls weighted; all as long as nothing is known.
fn largest_part(runner: &RunnerSample, weight: fn(&ServiceSample) -> f64) -> f64 {
    let weights = runner.services.values().map(|sample| sample.calls as f64 * weight(sample));
    let (largest, all) = weights.fold((0.0, 0.0), |(largest, all), one| (f64::max(largest, one), all + one));
    if all > 0.0 { largest / all } else { 1.0 }
}

/// The mean square of what calls take over the square of the mean: 1 when all take the same.
fn spread(runner: &RunnerSample) -> f64 {
    let sum = |power: i32| -> f64 {
        runner.services.values().map(|sample| sample.calls as f64 * seconds(sample).powi(power)).sum()
    };
    let (calls, seconds, squares) = (sum(0), sum(1), sum(2));
    if seconds > 0.0 { (calls * squares / (seconds * seconds)).clamp(1.0, SPREAD_MAX) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_mix_says_how_little_waits_in_one_line_and_how_much_calls_vary() {
        let sample = |calls, millis| ServiceSample {
            calls,
            deliveries: calls,
            service: Duration::from_millis(millis),
            cpu: Duration::ZERO,
        };
        let mixed = |samples: &[(u64, u64)]| {
            let services = samples.iter().enumerate();
            let services =
                services.map(|(index, (calls, millis))| (index.to_string(), sample(*calls, *millis)));
            Mix::of(&[&RunnerSample { services: services.collect(), ..RunnerSample::default() }])
        };
        assert_eq!(mixed(&[]), Mix::ONE);
        assert_eq!(mixed(&[(50, 10)]), Mix::ONE);
        assert_eq!(mixed(&[(25, 10), (75, 10)]), Mix { apart: 0.25, spread: 1.0 });
        let varied = mixed(&[(90, 10), (10, 100)]);
        assert!((varied.spread - 100.0 * 109_000.0 / (1_900.0 * 1_900.0)).abs() < 1e-9, "{varied:?}");
        assert_eq!(mixed(&[(1_000_000, 1), (1, 1_000_000)]).spread, SPREAD_MAX);
    }
}
