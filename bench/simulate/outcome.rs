//! `Outcome`: what came of a trace under a policy.

/// What came of a trace under a policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    /// Those that waited for longer than is bearable.
    pub(crate) late: u64,
    /// Those that were never answered. They are late as well.
    pub(crate) unanswered: u64,
    /// What was paid for, from the order of each runner until it was gone.
    pub(crate) runner_seconds: f64,
    /// How often growing followed upon shrinking, or the other way round.
    pub(crate) turns: u64,
    /// The wait that one request in a hundred exceeds, in seconds.
    pub(crate) wait_p99: f64,
    /// Runners at the end of each second.
    pub(crate) runners: Vec<u32>,
}

impl Outcome {
    pub(crate) fn late_part(&self) -> f64 {
        self.late as f64 / self.requests.max(1) as f64
    }
}

/// How often a number turned.
#[derive(Default)]
pub(crate) struct Turns {
    last: Option<usize>,
    grew: Option<bool>,
    pub(crate) count: u64,
}

impl Turns {
    pub(crate) fn see(&mut self, runners: usize) {
        let before = self.last.replace(runners).unwrap_or(runners);
        if before == runners {
            return;
        }
        let grows = runners > before;
        if self.grew.replace(grows).is_some_and(|grew| grew != grows) {
            self.count += 1;
        }
    }
}

/// Waits, counted by millisecond up to a minute.
pub(crate) struct Waits {
    counts: Vec<u64>,
}

impl Waits {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; 60_001] }
    }

    pub(crate) fn add(&mut self, micros: u64) {
        let millis = (micros / 1000).min(60_000) as usize;
        self.counts[millis] += 1;
    }

    /// Seconds that this part of all waits does not exceed.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let all: u64 = self.counts.iter().sum();
        let mut left = (all as f64 * part).ceil() as u64;
        for (millis, count) in self.counts.iter().enumerate() {
            if *count >= left {
                return millis as f64 / 1000.0;
            }
            left -= count;
        }
        60.0
    }
}
