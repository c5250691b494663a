//! `Load`: what the stats say of one pool, with what a runner may claim held within bounds.

use wire::RunnerReport;

use crate::median::median;
use crate::mix::{Mix, largest_part_of_work};
use crate::service::{Service, Services};
use crate::{Pool, RunnerSample, Stats};

/// What waits in one runner makes for no more work than this, in runner-seconds, whatever it says.
const WAITING_MAX: f64 = 1.0;

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
    /// What its calls are.
    pub(crate) mix: Mix,
    /// Seconds that a call in the backlog lasts, on average.
    pub(crate) service: f64,
}

impl Load {
    pub(crate) fn of(pool: &Pool, stats: &Stats, services: &Services) -> Self {
        let is_ours = |runner: &&RunnerSample| runner.ready && runner.pool.as_ref() == Some(pool.name());
        let ours: Vec<&RunnerSample> = stats.runners.iter().filter(is_ours).collect();
        let config = pool.config();
        let part = median(ours.iter().map(|runner| largest_part_of_work(runner))).unwrap_or(1.0);
        let slots = usable_slots(config.slots, config.threads, part);
        let call_of = |runner: &&RunnerSample| Service::of_runner(runner).work(slots, pool);
        let call = median(ours.iter().map(call_of)).unwrap_or(Service::UNKNOWN.work(slots, pool));
        let mut load = Self { ready: ours.len(), call, mix: Mix::of(&ours), ..Self::default() };
        for runner in ours {
            load.share += share(runner);
            load.waiting += (runner.waiting as f64 * call_of(&runner)).min(WAITING_MAX);
        }
        load.add_queues(pool, slots, stats, services);
        load
    }

    /// Whether anybody waits or runs.
    pub(crate) fn is_any(&self) -> bool {
        self.messages > 0 || self.share > 0.0 || self.waiting > 0.0
    }

    fn add_queues(&mut self, pool: &Pool, slots: f64, stats: &Stats, services: &Services) {
        let mut calls = 0.0;
        for func in
            stats.funcs.iter().filter(|func| func.home.as_ref() == Some(pool.name()) && func.backlog > 0)
        {
            let service = services.get(&func.queue).unwrap_or(&Service::UNKNOWN);
            let in_backlog = func.backlog as f64 * service.calls_per_message;
            self.messages = self.messages.saturating_add(func.backlog);
            self.backlog += in_backlog * service.work(slots, pool);
            self.service += in_backlog * service.service;
            calls += in_backlog;
        }
        if calls > 0.0 {
            self.service /= calls;
        }
    }
}

/// How much of a runner is in use: of its slots or its threads, whichever is scarcer. At most all of it,
/// whatever it says. What it uses while it runs no call it uses for itself, to be ready: that is no load, or nothing
/// would ever be left with none.
fn share(runner: &RunnerSample) -> f64 {
    if runner.busy <= 0.0 {
        return 0.0;
    }
    let slots = runner.busy / usable_slots(runner.slots, runner.threads, largest_part_of_work(runner));
    let threads = runner.cpu / runner.threads.max(1) as f64;
    // `max` takes zero over what is not a number.
    slots.max(threads).max(0.0).clamp(0.0, 1.0)
}

/// How many slots can be held at most, when one Func makes for this part of the work: of what it leaves free,
/// a runner keeps some for others, and others do not use it.
fn usable_slots(slots: usize, threads: usize, part: f64) -> f64 {
    let (threads, held) = (threads.max(1) as f64, RunnerReport::SLOTS_HELD_PER_FREE as f64);
    let per_thread = slots.max(1) as f64 / threads;
    (per_thread * held / (held + part)).ceil().min(per_thread) * threads
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use wire::PoolName;

    use super::*;
    use crate::service::learn;
    use crate::{FuncSample, PoolConfig, ServiceSample};

    /// Of ten slots on two threads, one Func alone may hold so many.
    const HELD: f64 = 8.0;

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
        learn(&mut services, &stats, Duration::from_secs(1));
        Load::of(&pool(), &stats, &services)
    }

    #[test]
    fn a_runner_is_as_busy_as_what_is_scarcer_and_never_more_than_once() {
        for (busy, cpu, share) in [
            (4.0, 0.0, 0.5),
            (1.0, 1.5, 0.75),
            (1e9, 0.0, 1.0),
            (0.1, f64::INFINITY, 1.0),
            (0.0, 0.05, 0.0),
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
        assert!((load.backlog - 500.0 * 0.02 / HELD).abs() < 1e-9, "{load:?}");
        assert!((load.service - 0.02).abs() < 1e-9, "{load:?}");
    }

    #[test]
    fn messages_hold_as_many_calls_as_was_seen_within_reason() {
        let of = |calls, deliveries| load(vec![with_service(10, calls, deliveries)], 10).backlog;
        let one = 10.0 * 0.01 / HELD;
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
    fn a_runner_is_full_when_its_funcs_hold_what_they_may() {
        for (slots, threads, funcs, full) in [
            (32, 1, 1, 24.0),
            (64, 2, 1, 48.0),
            (28, 1, 2, 24.0),
            (62, 2, 10, 60.0),
            (1, 1, 1, 1.0),
            (3, 3, 1, 3.0),
        ] {
            assert_eq!(
                usable_slots(slots, threads, 1.0 / f64::from(funcs)),
                full,
                "{slots} {threads} {funcs}"
            );
        }
        let mut two = with_service(10, 300, 1);
        two.services.insert("other".to_owned(), ServiceSample { calls: 100, ..two.services["q"] });
        assert_eq!(largest_part_of_work(&two), 0.75);
        assert_eq!(largest_part_of_work(&runner(1.0, 0.0)), 1.0);
    }

    #[test]
    fn nobody_claims_more_than_one_runner_more() {
        let liar = RunnerSample { waiting: u64::MAX, ..with_service(1000, 1, 1) };
        assert_eq!(load(vec![liar], 0).waiting, WAITING_MAX);
    }
}
