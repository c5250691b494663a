//! `Histogram`: how often something took how long, in few bytes and good to add up.

use serde::{Deserialize, Serialize};

/// Buckets between a power of two and the next: a value is known to a sixteenth.
const PARTS: u64 = 8;
/// The power of two of [`PARTS`]; values below it have a bucket each.
const PARTS_BITS: u32 = PARTS.trailing_zeros();

/// How often each value was seen. Values are kept to about 6 %, whatever their size, as in an
/// [HDR histogram](https://hdrhistogram.org); but only up to the largest, since there is one for each Func, and as
/// JSON, since that is what messages are: `[[104, 3], [112, 9]]` are three values of 104 or some more, and nine of 112.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u64)>", into = "Vec<(u64, u64)>")]
pub struct Histogram {
    /// How many values each bucket has; the last is never empty.
    counts: Vec<u64>,
}

impl Histogram {
    /// Notes a value.
    pub fn add(&mut self, value: u64) {
        self.add_many(value, 1);
    }

    /// Notes what another one holds.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
    }

    /// What came to it since it was as `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let before = before.counts.iter().copied().chain(std::iter::repeat(0));
        let counts = self.counts.iter().zip(before).map(|(now, before)| now.saturating_sub(before));
        Self::trimmed(counts.collect())
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The value below which this part (0 to 1) of all lies, if there is any.
    pub fn quantile(&self, part: f64) -> Option<u64> {
        let count = self.count();
        // To the next whole one: the median of one value is that value.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank"
        )]
        let rank = ((part.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count.max(1));
        let mut seen: u64 = 0;
        let bucket = self.counts.iter().position(|count| {
            seen = seen.saturating_add(*count);
            seen >= rank
        })?;
        Some(middle(bucket))
    }

    /// The mean, if there is any value.
    pub fn mean(&self) -> Option<f64> {
        let count = self.count();
        #[allow(clippy::cast_precision_loss, reason = "it is known to 6 % anyway")]
        let weigh = |(bucket, count): (usize, &u64)| middle(bucket) as f64 * *count as f64;
        #[allow(clippy::cast_precision_loss, reason = "it is known to 6 % anyway")]
        let mean = self.counts.iter().enumerate().map(weigh).sum::<f64>() / count as f64;
        (count > 0).then_some(mean)
    }

    fn add_many(&mut self, value: u64, times: u64) {
        let bucket = bucket(value);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] = self.counts[bucket].saturating_add(times);
    }

    fn trimmed(mut counts: Vec<u64>) -> Self {
        let len = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        counts.truncate(len);
        Self { counts }
    }
}

impl From<Vec<(u64, u64)>> for Histogram {
    fn from(pairs: Vec<(u64, u64)>) -> Self {
        let mut histogram = Self::default();
        for (value, times) in pairs.into_iter().filter(|(_, times)| *times > 0) {
            histogram.add_many(value, times);
        }
        histogram
    }
}

impl From<Histogram> for Vec<(u64, u64)> {
    fn from(histogram: Histogram) -> Self {
        let counts = histogram.counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
        counts.map(|(bucket, count)| (lowest(bucket), count)).collect()
    }
}

/// The bucket of a value: there are 496.
fn bucket(value: u64) -> usize {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(PARTS_BITS + 1);
    // Below twice PARTS it is the value itself; from there on each power of two has PARTS of them.
    let bucket = u64::from(shift) * PARTS + (value >> shift);
    usize::try_from(bucket).unwrap_or(usize::MAX)
}

/// The lowest value of a bucket.
fn lowest(bucket: usize) -> u64 {
    let (bucket, shift) = (bucket as u64, (bucket as u64 / PARTS).saturating_sub(1));
    (bucket - shift * PARTS) << shift
}

/// What stands for the values of a bucket.
fn middle(bucket: usize) -> u64 {
    let width = 1_u64 << (bucket as u64 / PARTS).saturating_sub(1);
    lowest(bucket).saturating_add(width / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.add(value));
        histogram
    }

    proptest! {
        #[test]
        fn a_value_is_known_to_a_sixteenth(value: u64) {
            let known = of([value]).quantile(0.5).unwrap();
            prop_assert!(known.abs_diff(value) <= value / 16, "{known}");
        }

        #[test]
        fn it_survives_the_journey(values: Vec<u64>) {
            let histogram = of(values);
            let json = serde_json::to_string(&histogram).unwrap();
            prop_assert_eq!(serde_json::from_str::<Histogram>(&json).unwrap(), histogram);
        }

        #[test]
        fn what_is_added_up_is_as_if_seen_by_one(a: Vec<u64>, b: Vec<u64>) {
            let before = of(a.clone());
            let mut both = before.clone();
            both.merge(&of(b.clone()));
            prop_assert_eq!(&both, &of(a.into_iter().chain(b.clone())));
            prop_assert_eq!(both.since(&before), of(b));
        }
    }

    #[test]
    fn quantiles_and_the_mean_are_those_of_the_values() {
        let histogram = of(1..=1000);
        assert_eq!(histogram.count(), 1000);
        for (part, value) in [(0.0, 1), (0.5, 500), (0.99, 990), (1.0, 1000)] {
            let known = histogram.quantile(part).unwrap();
            assert!(known.abs_diff(value) * 16 <= value, "{part}: {known}");
        }
        assert!((histogram.mean().unwrap() - 500.5).abs() < 32.0);
        assert_eq!((Histogram::default().quantile(0.5), Histogram::default().mean()), (None, None));
    }

    #[test]
    fn a_reader_of_the_message_sees_values_and_how_often() {
        assert_eq!(serde_json::to_string(&of([3, 3, 105])).unwrap(), "[[3,2],[104,1]]");
    }

    #[test]
    fn a_message_that_lies_costs_little() {
        let json = r"[[18446744073709551615, 18446744073709551615], [18446744073709551615, 5], [0, 9]]";
        let histogram: Histogram = serde_json::from_str(json).unwrap();
        assert_eq!(histogram.count(), u64::MAX);
        assert_eq!(histogram.counts.len(), 496);
    }
}
