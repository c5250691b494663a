//! Numbers by chance, the same for the same seed.

use fastrand::Rng;

/// One from 0 up to 1, without 0.
fn unit(rng: &mut Rng) -> f64 {
    1.0 - rng.f64()
}

/// One of an exponential distribution.
pub(crate) fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    -mean * unit(rng).ln()
}

/// One of the normal distribution.
pub(crate) fn normal(rng: &mut Rng) -> f64 {
    (-2.0 * unit(rng).ln()).sqrt() * (std::f64::consts::TAU * unit(rng)).cos()
}

/// One of a log-normal distribution of this mean.
pub(crate) fn log_normal(rng: &mut Rng, mean: f64, sigma: f64) -> f64 {
    mean * (sigma * normal(rng) - sigma * sigma / 2.0).exp()
}

/// Picks by weight.
pub(crate) struct Weighted {
    sums: Vec<f64>,
}

impl Weighted {
    /// So many, of which the n-th weighs 1/n^exponent.
    pub(crate) fn zipf(count: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=count).map(|rank| (rank as f64).powf(-exponent));
        Self {
            sums: weights
                .map(|weight| {
                    sum += weight;
                    sum
                })
                .collect(),
        }
    }

    pub(crate) fn pick(&self, rng: &mut Rng) -> usize {
        let all = self.sums.last().copied().unwrap_or_default();
        let at = rng.f64() * all;
        self.sums.partition_point(|sum| *sum <= at).min(self.sums.len().saturating_sub(1))
    }
}
