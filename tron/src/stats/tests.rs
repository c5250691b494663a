//! What comes of reports: from runners that begin anew, get lost on the way or lie, and from depths.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use wire::{FuncStats, PoolName, Role, RunnerReport};

use super::*;

const QUEUE: &str = "func.a.b";
const SECOND: Duration = Duration::from_secs(1);

fn statistics(queues: &[&str], now: Instant) -> Statistics {
    let statistics = Statistics::new(SECOND * 3);
    statistics.expect(queues.iter().map(|queue| (queue.to_string(), Labels::default())).collect(), now);
    statistics
}

/// A runner with 2 threads and 64 slots.
struct Reporter {
    member: MemberId,
    version: u64,
}

impl Reporter {
    /// One that was heard of when it began.
    fn start(statistics: &Statistics, now: Instant) -> Self {
        let reporter = Self { version: 0, ..Self::unheard() };
        reporter.say(statistics, now, None);
        Self { version: 1, ..reporter }
    }

    fn unheard() -> Self {
        Self { member: MemberId::generate(Role::Runner), version: 1 }
    }

    fn say(&self, statistics: &Statistics, now: Instant, stats: Option<FuncStats>) {
        let cpu_us = stats.as_ref().map_or(0, |stats| stats.cpu_us);
        let funcs = stats.into_iter().map(|stats| (QUEUE.to_owned(), stats)).collect();
        let report = RunnerReport { threads: 2, slots: 64, cpu_us, funcs, ..RunnerReport::default() };
        let heartbeat = Heartbeat::now(self.member.clone(), Role::Runner, self.version);
        statistics.observe(&Heartbeat { runner: Some(report), ..heartbeat }, now);
    }
}

/// What a runner has done after so many calls, two in a message, of 100 ms each, a tenth of it computing.
fn after(calls: u64) -> FuncStats {
    let mut stats = FuncStats {
        arrivals: calls,
        deliveries: calls / 2,
        failures: calls / 10,
        busy_us: calls * 100_000,
        cpu_us: calls * 10_000,
        ..FuncStats::default()
    };
    for _ in 0..calls {
        stats.queue_us.add(1_000);
        stats.service_us.add(100_000);
    }
    stats
}

fn is_about(value: f64, wanted: f64) -> bool {
    (value - wanted).abs() <= wanted * 0.07
}

fn runner(snapshot: &Snapshot) -> &RunnerSeen {
    snapshot.runners.first().unwrap()
}

#[test]
fn what_runners_do_is_added_up() {
    let start = Instant::now();
    let statistics = statistics(&[QUEUE], start);
    let reporters = [(); 2].map(|()| Reporter::start(&statistics, start));
    for second in 1..=5 {
        let now = start + SECOND * second;
        let stats = FuncStats { in_flight: 3, waiting: 1, ..after(u64::from(second) * 20) };
        reporters.iter().for_each(|reporter| reporter.say(&statistics, now, Some(stats.clone())));
    }
    let snapshot = statistics.snapshot(start + SECOND * 5);
    let queue = &snapshot.queues[QUEUE];
    assert!(is_about(queue.rate, 40.0) && is_about(queue.failures, 4.0), "{queue:?}");
    assert!(is_about(queue.ended, 40.0) && is_about(queue.cpu, 0.4), "{queue:?}");
    assert_eq!((queue.in_flight, queue.waiting, queue.service_us.count()), (6, 2, 200));
    let runner = runner(&snapshot);
    assert!(is_about(runner.busy, 2.0) && is_about(runner.cpu, 0.2), "{runner:?}");
    let func = runner.funcs[QUEUE];
    assert_eq!((func.calls, func.deliveries, func.ended), (100, 50, 100));
    assert!(is_about(func.service.as_secs_f64(), 0.1) && is_about(func.cpu.as_secs_f64(), 0.01), "{func:?}");
}

#[test]
fn a_report_that_is_lost_is_made_up_for() {
    let start = Instant::now();
    let statistics = statistics(&[QUEUE], start);
    let reporter = Reporter::start(&statistics, start);
    for second in [1, 4, 5] {
        reporter.say(&statistics, start + SECOND * second, Some(after(u64::from(second) * 20)));
    }
    let snapshot = statistics.snapshot(start + SECOND * 5);
    assert!(is_about(snapshot.queues[QUEUE].rate, 20.0));
    assert_eq!(snapshot.queues[QUEUE].service_us.count(), 100);
}

#[test]
fn what_was_done_before_we_heard_of_it_is_nothing_new() {
    let start = Instant::now();
    let statistics = statistics(&[QUEUE], start);
    let reporter = Reporter::unheard();
    reporter.say(&statistics, start, Some(after(1_000)));
    assert!(statistics.snapshot(start).queues[QUEUE].rate.abs() < f64::EPSILON);
    reporter.say(&statistics, start + SECOND, Some(after(1_020)));
    let snapshot = statistics.snapshot(start + SECOND);
    assert!(is_about(snapshot.queues[QUEUE].rate, 20.0));
    assert_eq!(snapshot.queues[QUEUE].service_us.count(), 20);
}

#[test]
fn a_func_that_rests_is_seen_to_rest() {
    let start = Instant::now();
    let statistics = statistics(&[QUEUE], start);
    let reporter = Reporter::start(&statistics, start);
    for second in 1..=15 {
        reporter.say(&statistics, start + SECOND * second, Some(after(20)));
    }
    let snapshot = statistics.snapshot(start + SECOND * 15);
    assert!(runner(&snapshot).funcs.is_empty(), "{snapshot:?}");
    assert_eq!(snapshot.queues[QUEUE].service_us.count(), 0);
}

#[test]
fn a_runner_that_let_go_of_a_func_counts_anew() {
    let start = Instant::now();
    let statistics = statistics(&[QUEUE], start);
    let reporter = Reporter::start(&statistics, start);
    reporter.say(&statistics, start + SECOND, Some(after(100)));
    statistics.expect(BTreeMap::new(), start + SECOND * 2);
    statistics.expect([(QUEUE.to_owned(), Labels::default())].into(), start + SECOND * 2);
    reporter.say(&statistics, start + SECOND * 2, Some(after(100)));
    assert_eq!(statistics.snapshot(start + SECOND * 2).queues[QUEUE].service_us.count(), 0, "not twice");
    reporter.say(&statistics, start + SECOND * 3, Some(after(10)));
    let snapshot = statistics.snapshot(start + SECOND * 3);
    assert_eq!(snapshot.queues[QUEUE].service_us.count(), 10);
    assert_eq!(runner(&snapshot).funcs[QUEUE].calls, 110);
}

#[test]
fn a_runner_that_falls_silent_is_forgotten_and_one_that_follows_begins_at_nothing() {
    let start = Instant::now();
    let statistics = statistics(&[QUEUE], start);
    let first = Reporter::start(&statistics, start);
    first.say(&statistics, start + SECOND, Some(after(20)));
    let second = Reporter::start(&statistics, start + SECOND * 4);
    statistics.forget(start + SECOND * 5);
    second.say(&statistics, start + SECOND * 5, Some(after(20)));
    let snapshot = statistics.snapshot(start + SECOND * 5);
    assert_eq!(snapshot.runners.len(), 1);
    assert!(is_about(snapshot.queues[QUEUE].rate, 20.0));
}

#[test]
fn a_liar_adds_one_runner_at_most_and_of_what_is_there() {
    let start = Instant::now();
    let statistics = statistics(&["func.other"], start);
    let reporter = Reporter::start(&statistics, start);
    reporter.say(&statistics, start + SECOND, Some(after(20)));
    assert!(runner(&statistics.snapshot(start + SECOND)).funcs.is_empty(), "nobody has such a queue");
    statistics.expect([(QUEUE.to_owned(), Labels::default())].into(), start);
    reporter.say(&statistics, start + SECOND, Some(after(0)));
    reporter.say(
        &statistics,
        start + SECOND * 2,
        Some(FuncStats { busy_us: u64::MAX, cpu_us: u64::MAX, ..after(20) }),
    );
    let snapshot = statistics.snapshot(start + SECOND * 2);
    let runner = runner(&snapshot);
    assert!(is_about(runner.busy, 64.0) && is_about(runner.cpu, 2.0), "{runner:?}");
}

#[test]
fn what_a_bundle_does_on_trial_is_counted_from_the_first_call_and_for_that_trial_alone() {
    let start = Instant::now();
    let statistics = statistics(&[], start);
    // One was there before us, the other began later.
    let reporters = [Reporter::unheard(), Reporter::start(&statistics, start)];
    reporters[0].say(&statistics, start, None);
    let compared = |compared, different| FuncStats { compared, different, ..after(10) };
    let begin = |began| {
        statistics.expect([(QUEUE.to_owned(), Labels::default())].into(), start + SECOND);
        statistics.try_out(&[(QUEUE.to_owned(), began)].into());
    };
    begin(3);
    reporters.iter().for_each(|reporter| reporter.say(&statistics, start + SECOND, Some(compared(8, 1))));
    begin(3);
    let so_far = Tried { calls: 20, failures: 2, compared: 16, different: 2 };
    assert_eq!((statistics.tried(QUEUE, 3), statistics.tried(QUEUE, 4)), (so_far, Tried::default()));
    // It ended and began anew before we looked.
    begin(5);
    reporters[0].say(&statistics, start + SECOND * 2, Some(compared(9, 1)));
    let since = Tried { compared: 1, ..Tried::default() };
    assert_eq!((statistics.tried(QUEUE, 5), statistics.tried(QUEUE, 3)), (since, Tried::default()));
    statistics.try_out(&HashMap::new());
    assert_eq!(statistics.tried(QUEUE, 5), Tried::default());
}

proptest! {
    #[test]
    fn no_report_upsets_the_rest(
        reports in prop::collection::vec((any::<[u64; 7]>(), any::<[u64; 4]>(), 0u64..20_000), 1..8),
    ) {
        let start = Instant::now();
        let statistics = statistics(&[QUEUE], start);
        let reporters = [(); 3].map(|()| Reporter::start(&statistics, start));
        let mut now = start;
        for (counters, histogram, millis) in reports {
            now += Duration::from_millis(millis);
            let [arrivals, deliveries, failures, in_flight, waiting, busy_us, cpu_us] = counters;
            let pairs = vec![(histogram[0], histogram[1]), (histogram[2], histogram[3])];
            let (queue_us, service_us) = (pairs.clone().into(), pairs.into());
            let stats = FuncStats {
                arrivals, deliveries, failures, compared: 0, different: 0, in_flight, waiting, queue_us, service_us,
                busy_us, cpu_us,
            };
            reporters.iter().for_each(|reporter| reporter.say(&statistics, now, Some(stats.clone())));
            let snapshot = statistics.snapshot(now);
            let queue = &snapshot.queues[QUEUE];
            prop_assert!([queue.rate, queue.failures, queue.ended, queue.cpu].iter().all(|rate| rate.is_finite()));
            for runner in &snapshot.runners {
                prop_assert!((0.0..=64.0).contains(&runner.busy) && (0.0..=2.0).contains(&runner.cpu));
            }
        }
    }
}

#[test]
fn depths_are_what_the_broker_said_last_unless_that_was_long_ago() {
    let start = Instant::now();
    let statistics = statistics(&[QUEUE], start);
    let depth = Depth { ready: 7, consumers: 2, ..Depth::default() };
    [QUEUE, "func.other"].iter().for_each(|queue| statistics.measure(queue, Some(depth), start));
    let seen = |now| statistics.snapshot(now).queues.remove(QUEUE).unwrap().depth;
    assert_eq!(seen(start + SECOND), Some(depth));
    assert_eq!(seen(start + SECOND * 60), None);
    statistics.measure(QUEUE, None, start);
    assert_eq!(seen(start), None);
    assert_eq!(statistics.snapshot(start).queues.len(), 1);
}

#[test]
fn of_many_queues_those_with_something_in_them_are_looked_at_first_and_all_in_turns() {
    let start = Instant::now();
    let names: Vec<String> = (0..1_000).map(|number| format!("func.{number:04}")).collect();
    let statistics = statistics(&names.iter().map(String::as_str).collect::<Vec<_>>(), start);
    let depth = Depth { ready: 1, ..Depth::default() };
    names.iter().skip(990).for_each(|name| statistics.measure(name, Some(depth), start));
    let turns: Vec<_> = (0..5).map(|_| statistics.next_looks(start)).collect();
    for turn in &turns {
        assert!(turn.len() <= LOOKS_MAX && turn[..10] == names[990..]);
    }
    assert_eq!(turns.concat().into_iter().collect::<BTreeSet<_>>().len(), 1_000);
    names.iter().for_each(|name| statistics.measure(name, Some(depth), start));
    let turns: Vec<_> = (0..7).flat_map(|_| statistics.next_looks(start)).collect();
    assert_eq!(turns.into_iter().collect::<BTreeSet<_>>().len(), 1_000);
}

#[test]
fn pools_are_those_of_the_tron_that_leads() {
    let start = Instant::now();
    let statistics = statistics(&[], start);
    let [old, new] = [(); 2].map(|()| Heartbeat::now(MemberId::generate(Role::Tron), Role::Tron, 1));
    let lead = |heartbeat: &Heartbeat, wanted, now| {
        let report = PoolReport {
            name: PoolName::parse("default").unwrap(),
            labels: wire::Labels::default(),
            substrate: "process".into(),
            runners_min: 0,
            runners_max: 9,
            wanted,
            running: None,
            ready: 0,
            why: String::new(),
            alarm: None,
            cost_per_hour: 0.0,
        };
        statistics.observe(&Heartbeat { pools: vec![report], ..heartbeat.clone() }, now);
    };
    let wanted = |now| statistics.snapshot(now).pools.iter().map(|pool| pool.wanted).collect::<Vec<_>>();
    lead(&old, 1, start);
    lead(&new, 2, start + SECOND);
    assert_eq!(wanted(start + SECOND), [2]);
    statistics.observe(&new, start + SECOND);
    assert_eq!(wanted(start + SECOND), [1], "it leads no longer");
    statistics.forget(start + SECOND * 9);
    assert!(wanted(start + SECOND * 9).is_empty());
}
