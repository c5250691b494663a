//! The policy, as who leads uses it: what is seen goes in, what is to be done comes out.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::{ProptestConfig, any, prop, proptest};
use scaling::{
    Effect, FuncSample, History, Listing, Now, Pool, PoolConfig, RunnerSample, Schedule, ServiceSample,
    Stats, plan,
};
use wire::{PoolName, Timestamp};

const TICK: Duration = Duration::from_millis(500);
const SERVICE: Duration = Duration::from_millis(12);
const SLOTS: usize = 4;
/// A Func that is alone may hold so many of them.
const HELD: f64 = 3.0;

fn name() -> PoolName {
    PoolName::parse("default").unwrap()
}

fn config() -> PoolConfig {
    PoolConfig { slots: SLOTS, runners_max: 20, target: 0.7, ..PoolConfig::new(name()) }
}

fn runner(busy: f64) -> RunnerSample {
    let calls = 100;
    let sample = ServiceSample { calls, deliveries: calls, service: SERVICE, cpu: Duration::ZERO };
    RunnerSample {
        pool: Some(name()),
        slots: SLOTS,
        threads: 1,
        ready: true,
        busy: busy * HELD,
        services: BTreeMap::from([("q".to_owned(), sample)]),
        ..RunnerSample::default()
    }
}

/// A pool, and who plans for it once in a tick.
struct Case {
    pools: Vec<Pool>,
    history: History,
    elapsed: Duration,
    utc: Timestamp,
}

impl Case {
    fn new(config: PoolConfig) -> Self {
        let pools = vec![Pool::new(config).unwrap()];
        Self { pools, history: History::new(), elapsed: Duration::ZERO, utc: Timestamp(0) }
    }

    fn see(&mut self, backlog: u64, runners: Vec<RunnerSample>, listing: Listing) -> Effect {
        let funcs = vec![FuncSample { queue: "q".to_owned(), home: Some(name()), backlog }];
        let stats = Stats { funcs, runners, listings: BTreeMap::from([(name(), listing)]) };
        self.elapsed += TICK;
        let now = Now { elapsed: self.elapsed, utc: self.utc };
        plan(&mut self.history, &stats, &self.pools, now).remove(0)
    }

    /// Sees so many runners, each so busy, and all that the substrate lists.
    fn tick(&mut self, backlog: u64, count: usize, busy: f64) -> Effect {
        self.see(backlog, vec![runner(busy); count], known(count))
    }

    fn ticks(&mut self, ticks: usize, count: usize, busy: f64) -> Effect {
        (0..ticks).map(|_| self.tick(0, count, busy)).last().unwrap()
    }
}

fn known(current: usize) -> Listing {
    Listing::Known { current, leaving: 0, failed: 0 }
}

#[test]
fn it_says_why() {
    let mut case = Case::new(config());
    case.tick(0, 1, 0.0);
    let effect = case.tick(4_000, 1, 0.0);
    assert!(effect.why.contains("backlog 4000, 12 ms each, target 0.7"), "{}", effect.why);
    assert!(effect.why.starts_with(&format!("{} runners: load ", effect.runners)), "{}", effect.why);
    assert_eq!(Case::new(config()).tick(0, 0, 0.0).why, "1 runner: no calls; that is the minimum");
}

#[test]
fn a_backlog_grows_the_pool_within_one_tick() {
    let mut case = Case::new(config());
    assert_eq!(case.ticks(60, 1, 0.5).runners, 1);
    // Ten times the load for half a second: 4.5 runners' worth of calls arrive and are left.
    let left = (4.5 * TICK.as_secs_f64() * HELD / SERVICE.as_secs_f64()) as u64;
    let grown = case.tick(left, 1, 0.9).runners;
    assert!((4..=8).contains(&grown), "{grown}");
}

#[test]
fn one_runner_starts_at_once_when_there_is_none_and_goes_when_nothing_came_for_long() {
    let mut case = Case::new(PoolConfig { runners_min: 0, ..config() });
    assert_eq!(case.tick(0, 0, 0.0).runners, 0);
    assert_eq!(case.tick(1, 0, 0.0).runners, 1);
    case.ticks(10, 1, 0.1);
    let quiet = (1..200).find(|_| case.tick(0, 1, 0.0).runners == 0).unwrap();
    let ticks = |time: Duration| time.as_millis() / TICK.as_millis();
    let (stable, panic) = (ticks(PoolConfig::STABLE_WINDOW), ticks(PoolConfig::PANIC_WINDOW));
    assert!((stable..=stable + panic + 1).contains(&quiet), "{quiet} ticks, {stable} make a stable window");
}

#[test]
fn what_a_runner_uses_for_itself_keeps_no_pool_from_having_none() {
    let mut case = Case::new(PoolConfig { runners_min: 0, ..config() });
    let idle = || RunnerSample { cpu: 0.03, ..runner(0.0) };
    let effects = (0..200).map(|_| case.see(0, vec![idle()], known(1)));
    assert_eq!(effects.last().unwrap().runners, 0);
}

#[test]
fn it_shrinks_when_load_was_gone_for_the_stable_window_and_not_before() {
    let mut case = Case::new(config());
    case.ticks(60, 10, 0.85);
    let held = case.ticks(14, 10, 0.1);
    assert_eq!(held.runners, 9, "what was needed but for chance: {}", held.why);
    assert!(held.why.contains("so many were needed in the last 8s"), "{}", held.why);
    let after = case.ticks(40, 10, 0.1);
    assert_eq!(after.runners, 2, "{}", after.why);
}

#[test]
fn nothing_shrinks_right_after_it_grew() {
    let cooldown = Duration::from_secs(60);
    let mut case = Case::new(PoolConfig { cooldown, ..config() });
    case.ticks(2, 1, 0.1);
    let grown = case.tick(40_000, 1, 1.0).runners;
    assert!(grown > 1);
    let held = case.ticks(100, grown, 0.0);
    assert_eq!(held.runners, grown, "{}", held.why);
    assert!(held.why.contains("it grew less than 60s ago"), "{}", held.why);
    assert_eq!(case.ticks(60, grown, 0.0).runners, 1);
}

#[test]
fn who_begins_to_lead_keeps_what_there_is_for_a_while() {
    let mut case = Case::new(config());
    assert_eq!(case.ticks(14, 7, 0.1).runners, 7);
    assert_eq!(case.ticks(40, 7, 0.1).runners, 2);
}

#[test]
fn a_runner_that_does_not_report_is_no_reason_to_shrink() {
    let mut case = Case::new(config());
    case.ticks(60, 4, 0.6);
    let silent = case.see(0, vec![runner(0.1); 2], known(4));
    assert_eq!(silent.runners, 4, "{}", silent.why);
    let nobody = (0..100).map(|_| case.see(0, Vec::new(), known(4))).last().unwrap();
    assert_eq!(nobody.runners, 4, "{}", nobody.why);
    assert_eq!(nobody.alarm.unwrap(), "none of 4 runners reports");
}

#[test]
fn a_substrate_that_does_not_answer_changes_nothing_and_is_told_of() {
    let mut case = Case::new(config());
    let before = case.ticks(60, 4, 0.7).runners;
    let unknown = case.see(9_000, vec![runner(1.0); 4], Listing::Unknown);
    assert_eq!(unknown.runners, before);
    assert_eq!(unknown.alarm.unwrap(), "the substrate does not answer");
    assert!(unknown.why.contains("as before"), "{}", unknown.why);
    assert!(case.tick(9_000, 4, 1.0).runners > before, "and goes on when it answers");
}

#[test]
fn what_is_needed_beyond_what_is_allowed_raises_the_alarm() {
    let mut case = Case::new(PoolConfig { cost_per_hour: 1.0, cost_max_per_hour: Some(3.0), ..config() });
    case.tick(0, 1, 0.5);
    let effect = case.tick(40_000, 1, 1.0);
    assert_eq!(effect.runners, 3);
    assert!(effect.alarm.unwrap().ends_with("runners needed, 3 allowed"));
    let failed = case.see(0, vec![runner(0.1); 3], Listing::Known { current: 3, leaving: 0, failed: 2 });
    assert_eq!(failed.alarm.unwrap(), "failed: 2 runners");
}

#[test]
fn a_schedule_provides_runners_before_they_are_needed() {
    let times = |from: &str, to: &str| (from.parse().unwrap(), to.parse().unwrap());
    let (from, to) = times("08:00", "18:00");
    let schedules = vec![Schedule { days: Vec::new(), from, to, runners_min: 5 }];
    let mut case = Case::new(PoolConfig { schedules, ..config() });
    assert_eq!(case.tick(0, 1, 0.0).runners, 1);
    case.utc = Timestamp(8 * 3_600_000);
    assert_eq!(case.tick(0, 1, 0.0).runners, 5);
    case.utc = Timestamp(18 * 3_600_000);
    assert_eq!(case.ticks(60, 5, 0.0).runners, 1);
}

#[test]
fn a_runner_that_lies_adds_one_runner_at_most() {
    let with = |liar: RunnerSample| {
        let mut case = Case::new(config());
        let mut runners = vec![runner(0.7); 4];
        runners.push(liar);
        (0..60).map(|_| case.see(0, runners.clone(), known(5))).last().unwrap().runners
    };
    let honest = with(runner(0.7));
    let hour = Duration::from_secs(3600);
    let claim = ServiceSample { calls: u64::MAX, deliveries: 1, service: hour, cpu: hour };
    let liar = RunnerSample {
        busy: 1e12,
        cpu: f64::INFINITY,
        waiting: u64::MAX,
        services: BTreeMap::from([("q".to_owned(), claim)]),
        ..runner(1.0)
    };
    let lied_to = with(liar);
    assert!(lied_to <= honest + 1, "{lied_to} after {honest}");
}

#[test]
fn a_pool_that_is_gone_is_forgotten() {
    let mut case = Case::new(config());
    case.ticks(60, 9, 0.9);
    let pools = std::mem::take(&mut case.pools);
    plan(&mut case.history, &Stats::default(), &[], Now { elapsed: case.elapsed, utc: case.utc });
    case.pools = pools;
    assert_eq!(case.tick(0, 0, 0.0).runners, 1);
}

/// What a pool does under a load of so many runners: it does what it can, the rest stays.
struct Fluid {
    case: Case,
    runners: usize,
    left: f64,
}

impl Fluid {
    fn new(config: PoolConfig) -> Self {
        Self { case: Case::new(config), runners: 1, left: 0.0 }
    }

    fn tick(&mut self, load: f64) -> usize {
        let seconds = TICK.as_secs_f64();
        let come = load * seconds + self.left;
        let done = come.min(self.runners as f64 * seconds);
        self.left = come - done;
        let messages = self.left * HELD / SERVICE.as_secs_f64();
        let busy = done / seconds / self.runners.max(1) as f64;
        self.runners = self.case.tick(messages as u64, self.runners, busy).runners;
        self.runners
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_never_leaves_its_bounds(
        loads in prop::collection::vec((0.0..100.0, 0_u64..1_000_000, any::<bool>()), 1..80),
        runners_min in 0_usize..4,
        runners_max in 4_usize..12,
    ) {
        let mut case = Case::new(PoolConfig {
            runners_min, runners_max, cost_per_hour: 0.5, cost_max_per_hour: Some(4.0), ..config()
        });
        for (busy, backlog, knows) in loads {
            let listing = if knows { known(5) } else { Listing::Unknown };
            let effect = case.see(backlog, vec![runner(busy); 5], listing);
            assert!((runners_min..=runners_max.min(8)).contains(&effect.runners), "{effect:?}");
        }
    }

    #[test]
    fn more_backlog_never_wants_fewer(
        past in prop::collection::vec((0_u64..3_000, 0.0..1.0), 1..40),
        (less, more) in (0_u64..20_000, 0_u64..20_000),
    ) {
        let with = |last: u64| {
            let mut case = Case::new(config());
            for (backlog, busy) in &past {
                case.tick(*backlog, 3, *busy);
            }
            case.tick(last, 3, 0.9)
        };
        let (less, more) = (less.min(more), less.max(more));
        assert!(with(less).runners <= with(more).runners);
    }

    #[test]
    fn the_same_is_decided_by_the_same(past in prop::collection::vec((0_u64..3_000, 0.0..1.0), 1..40)) {
        let (mut one, mut other) = (Case::new(config()), Case::new(config()));
        for (backlog, busy) in past {
            assert_eq!(one.tick(backlog, 3, busy), other.tick(backlog, 3, busy));
        }
    }

    #[test]
    fn a_constant_load_is_served_and_then_nothing_changes(load in 0.05..14.0) {
        let mut pool = Fluid::new(config());
        let settled: Vec<usize> = (0..400).map(|_| pool.tick(load)).skip(200).collect();
        assert!(settled.iter().all(|runners| *runners == settled[0]), "{load}: {settled:?}");
        let room = (1.0 / 0.7 - 1.0) * load.sqrt();
        let enough = (load + room - f64::min(0.25, room / 2.0)).ceil()..=(load + room).ceil();
        assert!(enough.contains(&(settled[0] as f64)), "{} for a load of {load}", settled[0]);
        assert!(pool.left < 0.1, "{} is left", pool.left);
    }
}
