//! The same policy with 10,000 runners. No single calls are simulated here, only how much work comes, waits and
//! is done: a fluid, with the noise that so many calls would have. It shows whether the policy's numbers still
//! make sense and what one decision costs, not what a single call sees.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use fastrand::Rng;
use scaling::{
    FuncSample, History, Listing, Now, Pool, PoolConfig, RunnerSample, ServiceSample, Stats, plan,
};
use wire::Timestamp;

use crate::options::Options;
use crate::outcome::Turns;
use crate::random::normal;
use crate::reports::pool_name;
use crate::runner::Shape;
use crate::trace::SECOND;

const RUNNERS: f64 = 10_000.0;
const SERVICE: f64 = 0.4;
const SECONDS: f64 = 3600.0;
/// Containers that a hundred machines start in a second: one starts about five.
const STARTS_PER_SECOND: f64 = 500.0;
/// Of the decision whose time is measured: Funcs, and how many of them each runner has lately run.
const FUNCS: usize = 1000;
const FUNCS_PER_RUNNER: usize = 100;

/// What comes of 10,000 runners, as text.
pub(crate) fn of(options: &Options) -> Result<String> {
    let mut text = String::from(
        "| load | starts in a second | late % | runner-seconds, of what is needed | turns | most runners |\n|---|--:|--:|--:|--:|--:|\n",
    );
    for (name, load) in LOADS {
        for starts in [f64::INFINITY, STARTS_PER_SECOND] {
            let mut fluid = Fluid::new(options, starts)?;
            let row = fluid.run(load, options);
            writeln!(text, "| {name} | {starts} | {row}")?;
        }
    }
    let (first, later) = decision_time(options)?;
    writeln!(
        text,
        "\nOne decision over {RUNNERS} runners and {FUNCS} Funcs, of which each runner reports {FUNCS_PER_RUNNER}: {first:.0?} at first, {later:.0?} later.",
    )?;
    Ok(text)
}

/// How many runners' worth comes at a moment.
type Load = fn(f64) -> f64;

const LOADS: [(&str, Load); 2] = [
    ("a day in an hour", |at| RUNNERS * (0.55 - 0.4 * (std::f64::consts::TAU * at / SECONDS).cos())),
    ("ten times the load for ten minutes, every twenty", |at| {
        if at % 1200.0 < 600.0 { RUNNERS * 0.09 } else { RUNNERS * 0.9 }
    }),
];

/// A pool as a fluid.
struct Fluid {
    pools: Vec<Pool>,
    history: History,
    stats: Stats,
    shape: Shape,
    ready: usize,
    /// When how many will be ready.
    starting: VecDeque<(f64, usize)>,
    starts_per_second: f64,
    backlog: f64,
    rng: Rng,
}

impl Fluid {
    fn new(options: &Options, starts_per_second: f64) -> Result<Self> {
        let name = pool_name().context("a pool has a name")?;
        let funcs = vec![FuncSample { queue: "func.0".to_owned(), home: Some(name), backlog: 0 }];
        Ok(Self {
            pools: vec![pool(options)?],
            history: History::new(),
            stats: Stats { funcs, ..Stats::default() },
            shape: options.settings.shape,
            ready: 0,
            starting: VecDeque::new(),
            starts_per_second,
            backlog: 0.0,
            rng: Rng::with_seed(options.settings.seed),
        })
    }

    /// An hour of this load, as the rest of a row.
    fn run(&mut self, load: Load, options: &Options) -> String {
        let tick = options.tick as f64 / SECOND as f64;
        let start = options.settings.start as f64 / SECOND as f64;
        let patience = options.settings.patience as f64 / SECOND as f64;
        let (mut late, mut needed, mut paid, mut most, mut turns) = (0.0, 0.0, 0.0, 0, Turns::default());
        self.ready = (load(0.0) * 1.1) as usize;
        for step in 0..(SECONDS / tick) as u32 {
            let at = f64::from(step) * tick;
            self.crash(tick, at, options);
            let come = self.come(load(at), tick);
            if self.backlog > patience * self.ready as f64 {
                late += come;
            }
            let done = (self.backlog + come).min(self.ready as f64 * tick);
            self.backlog += come - done;
            let wished = self.decide(at, done / tick);
            turns.see(wished);
            self.scale(wished, at + start, tick);
            let current = self.ready + self.starting.iter().map(|(_, count)| count).sum::<usize>();
            most = most.max(current);
            needed += come;
            paid += current as f64 * tick;
        }
        format!("{:.2} | {:.3} | {} | {most} |", 100.0 * late / needed, paid / needed, turns.count)
    }

    /// The work that comes: as noisy as so many calls of varying length.
    fn come(&mut self, load: f64, tick: f64) -> f64 {
        let call = SERVICE / self.shape.usable(1.0);
        let noise = normal(&mut self.rng) * (2.0 * call * load * tick).sqrt();
        (load * tick + noise).max(0.0)
    }

    /// Some crash, and are started again.
    fn crash(&mut self, tick: f64, at: f64, options: &Options) {
        let second = SECOND as f64;
        let mean = self.ready as f64 * tick * second / options.settings.crash as f64;
        let crashed =
            ((mean + normal(&mut self.rng) * mean.sqrt()).round().max(0.0) as usize).min(self.ready);
        self.ready -= crashed;
        self.starting.push_back((at + options.settings.start as f64 / second, crashed));
        while let Some((_, count)) = self.starting.pop_front_if(|(ready_at, _)| *ready_at <= at) {
            self.ready += count;
        }
    }

    fn decide(&mut self, at: f64, served: f64) -> usize {
        let usable = self.shape.usable(1.0);
        let name = self.pools.iter().map(|pool| pool.name().clone()).next();
        let calls = (served * usable / SERVICE / self.ready.max(1) as f64) as u64;
        let service = ServiceSample {
            calls,
            deliveries: calls,
            service: Duration::from_secs_f64(SERVICE),
            cpu: Duration::ZERO,
        };
        self.stats.runners.resize_with(self.ready, || RunnerSample {
            pool: name.clone(),
            slots: self.shape.slots * self.shape.threads,
            threads: self.shape.threads,
            ready: true,
            ..RunnerSample::default()
        });
        for runner in &mut self.stats.runners {
            runner.busy = usable * served / self.ready as f64;
            *runner.services.entry("func.0".to_owned()).or_default() = service;
        }
        let current = self.ready + self.starting.iter().map(|(_, count)| count).sum::<usize>();
        let listing = Listing::Known { current, leaving: 0, failed: 0 };
        self.stats.listings = name.into_iter().map(|name| (name, listing)).collect();
        for func in &mut self.stats.funcs {
            func.backlog = (self.backlog * usable / SERVICE) as u64;
        }
        let effects = plan(&mut self.history, &self.stats, &self.pools, now(at));
        effects.first().map_or(0, |effect| effect.runners)
    }

    fn scale(&mut self, wished: usize, ready_at: f64, tick: f64) {
        let starting: usize = self.starting.iter().map(|(_, count)| count).sum();
        let current = self.ready + starting;
        if wished > current {
            let most = (self.starts_per_second * tick).min(RUNNERS * 10.0) as usize;
            self.starting.push_back((ready_at, (wished - current).min(most)));
        }
        let mut surplus = current.saturating_sub(wished);
        for (_, count) in self.starting.iter_mut().rev() {
            let cancelled = surplus.min(*count);
            *count -= cancelled;
            surplus -= cancelled;
        }
        self.ready -= surplus.min(self.ready);
    }
}

fn pool(options: &Options) -> Result<Pool> {
    let shape = options.settings.shape;
    let config = PoolConfig {
        runners_max: RUNNERS as usize * 2,
        slots: shape.slots * shape.threads,
        threads: shape.threads,
        ..options.pool.clone()
    };
    Pool::new(config).map_err(|mistakes| anyhow!("{mistakes:?}"))
}

fn now(at: f64) -> Now {
    let elapsed = Duration::from_secs_f64(at);
    Now { elapsed, utc: Timestamp(elapsed.as_millis() as u64) }
}

/// How long a decision takes: the first, and the mean of some later ones.
fn decision_time(options: &Options) -> Result<(Duration, Duration)> {
    const LATER: u32 = 5;
    let pools = vec![pool(options)?];
    let name = pool_name().context("a pool has a name")?;
    let rng = &mut Rng::with_seed(options.settings.seed);
    let queues: Vec<String> = (0..FUNCS).map(|func| format!("func.{func:016x}.{func:08x}")).collect();
    let mut runner = || {
        let services = (0..FUNCS_PER_RUNNER).map(|_| {
            let service = Duration::from_micros(rng.u64(1_000..500_000));
            let calls = rng.u64(1..100);
            (
                queues[rng.usize(0..FUNCS)].clone(),
                ServiceSample { calls, deliveries: calls, service, cpu: service / 10 },
            )
        });
        RunnerSample {
            services: services.collect::<BTreeMap<_, _>>(),
            pool: Some(name.clone()),
            slots: 32,
            threads: 2,
            ready: true,
            busy: 20.0,
            cpu: 1.0,
            waiting: 3,
        }
    };
    let runners = (0..RUNNERS as usize).map(|_| runner()).collect();
    let func = |queue: &String| FuncSample { queue: queue.clone(), home: Some(name.clone()), backlog: 5 };
    let listing = Listing::Known { current: RUNNERS as usize, leaving: 0, failed: 0 };
    let stats = Stats {
        funcs: queues.iter().map(func).collect(),
        runners,
        listings: BTreeMap::from([(name.clone(), listing)]),
    };
    let mut history = History::new();
    let mut decide = |at: f64| {
        let begun = Instant::now();
        plan(&mut history, &stats, &pools, now(at));
        begun.elapsed()
    };
    let first = decide(0.0);
    let later: Duration = (1..=LATER).map(|step| decide(f64::from(step) / 2.0)).sum();
    Ok((first, later / LATER))
}
