//! `Timing`: how often something took how long, in the buckets that everybody here has.

use crate::{Context, span};

/// The upper bounds of the buckets in microseconds, and as their labels show them in seconds: the same in both
/// formats, so that a series does not depend on which of them was asked for.
pub(crate) const BOUNDS: [(u64, &str); 16] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1.0"),
    (2_500_000, "2.5"),
    (5_000_000, "5.0"),
    (10_000_000, "10.0"),
    (30_000_000, "30.0"),
    (60_000_000, "60.0"),
];

/// Buckets with a bound, and one for what is above all of them.
pub(crate) const BUCKETS: usize = BOUNDS.len() + 1;

/// How often something took how long. From half a millisecond, below which only the network speaks, to the time
/// that a call has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    counts: [u64; BUCKETS],
    sum_us: u64,
    /// The last one of each bucket that was traced, once there is one.
    exemplars: Option<Box<[Option<Exemplar>; BUCKETS]>>,
}

/// One of many, which can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exemplar {
    pub(crate) context: Context,
    pub(crate) micros: u64,
    /// Nanoseconds since the epoch.
    pub(crate) at: u64,
}

impl Timing {
    /// Notes how long it took once, and the trace that shows it.
    pub fn add(&mut self, micros: u64, traced: Option<Context>) {
        let bucket = BOUNDS.partition_point(|(bound, _)| *bound < micros);
        self.counts[bucket] += 1;
        self.sum_us = self.sum_us.saturating_add(micros);
        if let Some(context) = traced {
            let exemplar = Exemplar { context, micros, at: span::now() };
            self.exemplars.get_or_insert_default()[bucket] = Some(exemplar);
        }
    }

    /// Adds what another one holds.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        if let Some(others) = &other.exemplars {
            let mine = self.exemplars.get_or_insert_default();
            mine.iter_mut().zip(others.iter()).for_each(|(mine, other)| *mine = other.or(*mine));
        }
    }

    /// How often it took no longer than each bound, the bounds as labels; how often in all comes last.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = (&'static str, u64, Option<Exemplar>)> {
        let bounds = BOUNDS.iter().map(|(_, label)| *label).chain(std::iter::once("+Inf"));
        let mut sum = 0;
        bounds.zip(self.counts).enumerate().map(move |(bucket, (label, count))| {
            sum += count;
            (label, sum, self.exemplars.as_ref().and_then(|exemplars| exemplars[bucket]))
        })
    }

    /// Whether it never happened.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    #[allow(clippy::cast_precision_loss, reason = "exact up to some hundred years")]
    pub(crate) fn sum_seconds(&self) -> f64 {
        self.sum_us as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let mut timing = Timing::default();
        [0, 500, 501, 60_000_000, 60_000_001].into_iter().for_each(|micros| timing.add(micros, None));
        let seen: Vec<_> = timing.cumulative().map(|(label, count, _)| (label, count)).collect();
        assert_eq!(seen[..2], [("0.0005", 2), ("0.001", 3)]);
        assert_eq!(seen[15..], [("60.0", 4), ("+Inf", 5)]);
        assert_eq!((timing.count(), timing.sum_seconds()), (5, 120.001_002));
    }

    #[test]
    fn labels_say_what_the_bounds_are() {
        for (micros, label) in BOUNDS {
            let seconds: f64 = label.parse().unwrap();
            assert!((seconds * 1e6 - f64::from(u32::try_from(micros).unwrap())).abs() < 1e-6, "{label}");
        }
    }
}
