//! `Service`: what a call of a Func takes, as most runners say.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::median::median;
use crate::{Pool, RunnerSample, ServiceSample, Stats};

/// What a call is taken to last before any was seen: more than most do, so that what starts from nothing
/// starts with enough.
const SERVICE_UNKNOWN: Duration = Duration::from_millis(100);
/// How long it takes to believe that calls last longer or shorter: a runner that has just begun has ended
/// short ones only, and what waits would seem to shrink and to grow again.
const SERVICE_WINDOW: Duration = Duration::from_secs(10);
/// Calls that come in one message; a runner that claims more is mistaken.
const CALLS_PER_MESSAGE_MAX: f64 = 64.0;

/// What a message of one Func takes: for each number the median over all runners, so that few that are
/// mistaken change nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Service {
    /// Seconds that a slot is held.
    pub(crate) service: f64,
    /// Seconds of a processor.
    cpu: f64,
    pub(crate) calls_per_message: f64,
}

/// By queue.
pub(crate) type Services = HashMap<String, Service>;

/// Takes in what runners say of their calls over so long, and forgets Funcs that are gone.
pub(crate) fn learn(services: &mut Services, stats: &Stats, seen: Duration) {
    let queues: HashSet<&str> = stats.funcs.iter().map(|func| func.queue.as_str()).collect();
    services.retain(|queue, _| queues.contains(queue.as_str()));
    let mut samples: HashMap<&str, Vec<&ServiceSample>> = HashMap::with_capacity(queues.len());
    for (queue, sample) in stats.runners.iter().flat_map(|runner| &runner.services) {
        if sample.calls > 0 && queues.contains(queue.as_str()) {
            samples.entry(queue).or_default().push(sample);
        }
    }
    for (queue, samples) in samples {
        let over_runners = |number: fn(&ServiceSample) -> f64| {
            median(samples.iter().map(|sample| number(sample))).unwrap_or_default()
        };
        let service = Service {
            service: over_runners(|sample| sample.service.as_secs_f64()),
            cpu: over_runners(|sample| sample.cpu.as_secs_f64()),
            calls_per_message: over_runners(|sample| sample.calls as f64 / sample.deliveries.max(1) as f64)
                .clamp(1.0, CALLS_PER_MESSAGE_MAX),
        };
        let part = seen.as_secs_f64() / SERVICE_WINDOW.as_secs_f64();
        let known = services.entry(queue.to_owned()).or_insert(service);
        *known = known.towards(service, part.min(1.0));
    }
}

impl Service {
    pub(crate) const UNKNOWN: Self =
        Self { service: SERVICE_UNKNOWN.as_secs_f64(), cpu: 0.0, calls_per_message: 1.0 };

    /// What a call takes in this runner, over all its Funcs.
    pub(crate) fn of_runner(runner: &RunnerSample) -> Self {
        let calls: f64 = runner.services.values().map(|sample| sample.calls as f64).sum();
        if calls == 0.0 {
            return Self::UNKNOWN;
        }
        let mean = |number: fn(&ServiceSample) -> Duration| {
            let of_all = |sample: &ServiceSample| number(sample).as_secs_f64() * sample.calls as f64;
            runner.services.values().map(of_all).sum::<f64>() / calls
        };
        Self {
            service: mean(|sample| sample.service),
            cpu: mean(|sample| sample.cpu),
            calls_per_message: 1.0,
        }
    }

    /// This part of the way from here to there.
    fn towards(self, other: Self, part: f64) -> Self {
        let between = |from: f64, to: f64| from + part * (to - from);
        Self {
            service: between(self.service, other.service),
            cpu: between(self.cpu, other.cpu),
            calls_per_message: between(self.calls_per_message, other.calls_per_message),
        }
    }

    /// The runner-seconds that a call is: its part of the slots or of the threads, whichever is scarcer.
    pub(crate) fn work(&self, slots: f64, pool: &Pool) -> f64 {
        (self.service / slots).max(self.cpu / pool.config().threads as f64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::FuncSample;

    #[test]
    fn what_calls_take_is_believed_by_and_by() {
        let stats = |millis| Stats {
            funcs: vec![FuncSample { queue: "q".to_owned(), home: None, backlog: 0 }],
            runners: vec![runner(millis)],
            ..Stats::default()
        };
        let mut services = Services::new();
        let second = Duration::from_secs(1);
        learn(&mut services, &stats(400), second);
        learn(&mut services, &stats(200), second);
        assert!((services["q"].service - 0.38).abs() < 1e-9);
        learn(&mut services, &stats(200), 60 * second);
        assert!((services["q"].service - 0.2).abs() < 1e-9);
        learn(&mut services, &Stats::default(), second);
        assert!(services.is_empty(), "a Func that is gone");
    }

    fn runner(millis: u64) -> RunnerSample {
        let service = Duration::from_millis(millis);
        let sample = ServiceSample { calls: 10, deliveries: 10, service, cpu: Duration::ZERO };
        RunnerSample { services: BTreeMap::from([("q".to_owned(), sample)]), ..RunnerSample::default() }
    }
}
