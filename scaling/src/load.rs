//! `Load`: what the stats say of one pool, with what a runner may claim held within bounds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use crate::{Pool, RunnerSample, ServiceSample, Stats};

/// What a call is taken to last before any was seen: more than most do, so that what starts from nothing
/// starts with enough.
const SERVICE_UNKNOWN: Duration = Duration::from_millis(100);
/// Calls that come in one message; a runner that claims more is mistaken.
const CALLS_PER_MESSAGE_MAX: f64 = 64.0;

/// What a message of one Func takes: for each number the median over all runners, so that few that are
/// mistaken change nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Service {
    service: f64,
    cpu: f64,
    calls_per_message: f64,
}

/// By queue.
pub(crate) type Services = HashMap<String, Service>;

/// One pool now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    /// Runners that take calls.
    pub(crate) ready: usize,
    /// How busy they are together, in runners.
    pub(crate) share: f64,
    /// Messages in the queues that are at home here.
    pub(crate) messages: u64,
    /// The work that they are, in runner-seconds.
    pub(crate) backlog: f64,
    /// The work that waits in runners.
    pub(crate) waiting: f64,
    /// The work of one call.
    pub(crate) call: f64,
    /// Seconds that a call in the backlog lasts, on average.
    pub(crate) service: f64,
}

/// Takes in what runners say of their calls, and forgets Funcs that are gone.
pub(crate) fn learn(services: &mut Services, stats: &Stats) {
    let queues: HashSet<&str> = stats.funcs.iter().map(|func| func.queue.as_str()).collect();
    services.retain(|queue, _| queues.contains(queue.as_str()));
    let mut samples: BTreeMap<&str, Vec<&ServiceSample>> = BTreeMap::new();
    for (queue, sample) in stats.runners.iter().flat_map(|runner| &runner.services) {
        if sample.calls > 0 && queues.contains(queue.as_str()) {
            samples.entry(queue).or_default().push(sample);
        }
    }
    for (queue, samples) in samples {
        let over_runners =
            |number: fn(&ServiceSample) -> f64| median(samples.iter().map(|sample| number(sample)));
        let service = Service {
            service: over_runners(|sample| sample.service.as_secs_f64()),
            cpu: over_runners(|sample| sample.cpu.as_secs_f64()),
            calls_per_message: over_runners(|sample| sample.calls as f64 / sample.deliveries.max(1) as f64)
                .clamp(1.0, CALLS_PER_MESSAGE_MAX),
        };
        services.insert(queue.to_owned(), service);
    }
}

impl Service {
    const UNKNOWN: Self = Self { service: SERVICE_UNKNOWN.as_secs_f64(), cpu: 0.0, calls_per_message: 1.0 };

    /// The runner-seconds that a call is: its part of the slots or of the threads, whichever is scarcer.
    fn work(&self, pool: &Pool) -> f64 {
        (self.service / pool.config().slots as f64).max(self.cpu / pool.config().threads as f64)
    }
}

impl Load {
    pub(crate) fn of(pool: &Pool, stats: &Stats, services: &Services) -> Self {
        let mut load = Self::default();
        load.add_queues(pool, stats, services);
        let ours = stats.runners.iter().filter(|runner| runner.pool.as_ref() == Some(pool.name()));
        let mut calls = Vec::new();
        for runner in ours.filter(|runner| runner.ready) {
            let call = own_service(runner).work(pool);
            load.ready += 1;
            load.share += share(runner);
            // No runner's word makes for more than one runner beside it.
            let waiting_max = pool.config().drain_time.as_secs_f64();
            load.waiting += (runner.waiting as f64 * call).min(waiting_max);
            calls.push(call);
        }
        load.call = if calls.is_empty() { Service::UNKNOWN.work(pool) } else { median(calls.into_iter()) };
        load
    }

    /// Whether anybody waits or runs.
    pub(crate) fn is_any(&self) -> bool {
        self.messages > 0 || self.share > 0.0 || self.waiting > 0.0
    }

    fn add_queues(&mut self, pool: &Pool, stats: &Stats, services: &Services) {
        let mut calls = 0.0;
        for func in
            stats.funcs.iter().filter(|func| func.home.as_ref() == Some(pool.name()) && func.backlog > 0)
        {
            let service = services.get(&func.queue).unwrap_or(&Service::UNKNOWN);
            let in_backlog = func.backlog as f64 * service.calls_per_message;
            self.messages = self.messages.saturating_add(func.backlog);
            self.backlog += in_backlog * service.work(pool);
            self.service += in_backlog * service.service;
            calls += in_backlog;
        }
        if calls > 0.0 {
            self.service /= calls;
        }
    }
}

/// How much of a runner is in use: of its slots or its threads, whichever is scarcer. At most all of it,
/// whatever it says.
fn share(runner: &RunnerSample) -> f64 {
    let slots = runner.busy / runner.slots.max(1) as f64;
    let threads = runner.cpu / runner.threads.max(1) as f64;
    // `max` takes zero over what is not a number.
    slots.max(threads).max(0.0).clamp(0.0, 1.0)
}

/// What a call takes in this runner, over all its Funcs.
fn own_service(runner: &RunnerSample) -> Service {
    let calls: f64 = runner.services.values().map(|sample| sample.calls as f64).sum();
    if calls == 0.0 {
        return Service::UNKNOWN;
    }
    let mean = |number: fn(&ServiceSample) -> Duration| {
        let of_all = |sample: &ServiceSample| number(sample).as_secs_f64() * sample.calls as f64;
        runner.services.values().map(of_all).sum::<f64>() / calls
    };
    Service { service: mean(|sample| sample.service), cpu: mean(|sample| sample.cpu), calls_per_message: 1.0 }
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    if numbers.is_empty() {
        return 0.0;
    }
    // Of two in the middle the smaller: half of the runners that are mistaken are not enough to raise it.
    let middle = (numbers.len() - 1) / 2;
    *numbers.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use wire::PoolName;

    use super::*;
    use crate::{FuncSample, PoolConfig};

    fn pool() -> Pool {
        Pool::new(PoolConfig { slots: 10, threads: 2, ..PoolConfig::new(name()) }).unwrap()
    }

    fn name() -> PoolName {
        PoolName::parse("default").unwrap()
    }

    fn runner(busy: f64, cpu: f64) -> RunnerSample {
        RunnerSample {
            pool: Some(name()),
            slots: 10,
            threads: 2,
            ready: true,
            busy,
            cpu,
            ..RunnerSample::default()
        }
    }

    fn with_service(millis: u64, calls: u64, deliveries: u64) -> RunnerSample {
        let service = Duration::from_millis(millis);
        let sample = ServiceSample { calls, deliveries, service, cpu: Duration::ZERO };
        RunnerSample { services: BTreeMap::from([("q".to_owned(), sample)]), ..runner(0.0, 0.0) }
    }

    fn load(runners: Vec<RunnerSample>, backlog: u64) -> Load {
        let funcs = vec![FuncSample { queue: "q".to_owned(), home: Some(name()), backlog }];
        let stats = Stats { funcs, runners, ..Stats::default() };
        let mut services = Services::new();
        learn(&mut services, &stats);
        Load::of(&pool(), &stats, &services)
    }

    #[test]
    fn a_runner_is_as_busy_as_what_is_scarcer_and_never_more_than_once() {
        for (busy, cpu, share) in [
            (5.0, 0.0, 0.5),
            (1.0, 1.5, 0.75),
            (1e9, 0.0, 1.0),
            (0.0, f64::INFINITY, 1.0),
            (f64::NAN, f64::NAN, 0.0),
            (-5.0, -1.0, 0.0),
        ] {
            assert_eq!(load(vec![runner(busy, cpu)], 0).share, share, "{busy} {cpu}");
        }
    }

    #[test]
    fn who_leaves_or_starts_or_belongs_to_another_pool_is_not_counted() {
        let other = PoolName::parse("other").unwrap();
        let runners = vec![
            RunnerSample { ready: false, ..runner(10.0, 0.0) },
            RunnerSample { pool: Some(other), ..runner(10.0, 0.0) },
            RunnerSample { pool: None, ..runner(10.0, 0.0) },
        ];
        let load = load(runners, 0);
        assert_eq!((load.ready, load.share), (0, 0.0));
    }

    #[test]
    fn a_backlog_is_as_much_work_as_most_runners_say() {
        let honest = || with_service(20, 100, 100);
        let liar = with_service(3_600_000, 1, 1);
        let load = load(vec![honest(), liar, honest(), with_service(0, 0, 0)], 500);
        assert_eq!(load.messages, 500);
        assert!((load.backlog - 500.0 * 0.02 / 10.0).abs() < 1e-9, "{load:?}");
        assert!((load.service - 0.02).abs() < 1e-9, "{load:?}");
    }

    #[test]
    fn messages_hold_as_many_calls_as_was_seen_within_reason() {
        let of = |calls, deliveries| load(vec![with_service(10, calls, deliveries)], 10).backlog;
        let one = 10.0 * 0.01 / 10.0;
        for (calls, deliveries, times) in
            [(100, 100, 1.0), (400, 100, 4.0), (1_000_000, 1, 64.0), (1, 100, 1.0)]
        {
            assert!((of(calls, deliveries) - times * one).abs() < 1e-9, "{calls}/{deliveries}");
        }
    }

    #[test]
    fn what_computes_is_counted_by_threads() {
        let sample = ServiceSample {
            calls: 1,
            deliveries: 1,
            service: Duration::from_millis(10),
            cpu: Duration::from_millis(10),
        };
        let computing =
            RunnerSample { services: BTreeMap::from([("q".to_owned(), sample)]), ..runner(0.0, 0.0) };
        assert!((load(vec![computing], 100).backlog - 100.0 * 0.01 / 2.0).abs() < 1e-9);
    }

    #[test]
    fn nobody_claims_more_than_one_runner_more() {
        let liar = RunnerSample { waiting: u64::MAX, ..with_service(1000, 1, 1) };
        let drain = PoolConfig::DRAIN_TIME.as_secs_f64();
        assert_eq!(load(vec![liar], 0).waiting, drain);
    }
}
