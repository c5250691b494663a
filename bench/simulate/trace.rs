//! `Trace`: who asks for what, and when. Made by a seed, before anything is simulated.

use fastrand::Rng;

use crate::random::{Weighted, exponential, log_normal};
use crate::runner::Shape;

/// Microseconds in a second.
pub(crate) const SECOND: u64 = 1_000_000;

/// One request.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    /// When it arrives, in microseconds.
    pub(crate) at: u64,
    /// Which Func it is for.
    pub(crate) func: u32,
    /// How long it holds a slot, in microseconds.
    pub(crate) service: u32,
}

/// Requests, in the order of their arrival.
pub(crate) struct Trace {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) funcs: usize,
    pub(crate) seconds: u64,
    pub(crate) requests: Vec<Request>,
    /// Slots of a runner that calls of this mixture can hold at once.
    pub(crate) usable: f64,
    /// Seconds that a request holds a slot, on average.
    pub(crate) service: f64,
}

/// How many runners' worth of calls arrives at a moment.
type Load = Box<dyn Fn(f64) -> f64>;

/// What a trace is made from.
struct Plan {
    name: &'static str,
    about: &'static str,
    seconds: u64,
    load_max: f64,
    load: Load,
    mix: Mix,
}

/// What is asked for.
enum Mix {
    /// One Func, every call the same, at even distances.
    Even,
    /// One Func, calls that vary, at random.
    One,
    /// A thousand Funcs; few of them make for most of the calls, and few calls for most of the time.
    Thousand,
}

/// What a call lasts on average: it waits for some other service, which is what most Funcs do.
const SERVICE: f64 = 0.4;

impl Trace {
    pub(crate) const NAMES: [&'static str; 7] =
        ["constant", "poisson", "bursts", "short bursts", "day", "flash crowd", "thousand"];

    /// The trace of this name; `part` of an hour of it, and of its load.
    pub(crate) fn named(name: &str, shape: Shape, part: Part, seed: u64) -> Option<Self> {
        let rng = &mut Rng::with_seed(seed);
        let seconds = 3600.0 * part.time;
        let load = part.load;
        let plan = |name, about, load_max: f64, load: Load, mix| Plan {
            name,
            about,
            seconds: seconds as u64,
            load_max,
            load,
            mix,
        };
        let plan = match name {
            "constant" => plan(
                "constant",
                "the same at even distances",
                40.0 * load,
                Box::new(move |_| 40.0 * load),
                Mix::Even,
            ),
            "poisson" => {
                plan("poisson", "random arrivals", 40.0 * load, Box::new(move |_| 40.0 * load), Mix::One)
            }
            "bursts" => plan(
                "bursts",
                "ten times the load, on and off for five minutes on average",
                40.0 * load,
                on_off(rng, seconds, 300.0, 300.0, load),
                Mix::One,
            ),
            "short bursts" => plan(
                "short bursts",
                "ten times the load for 20 s, off for 40 s, on average",
                40.0 * load,
                on_off(rng, seconds, 20.0, 40.0, load),
                Mix::One,
            ),
            "day" => plan(
                "day",
                "a day in an hour",
                40.0 * load,
                Box::new(move |at| load * (23.0 - 17.0 * (std::f64::consts::TAU * at / seconds).cos())),
                Mix::One,
            ),
            "flash crowd" => plan(
                "flash crowd",
                "fifteen times the load within ten seconds, then fewer for many minutes",
                60.0 * load,
                Box::new(move |at| load * flash(at - seconds / 4.0)),
                Mix::One,
            ),
            "thousand" => plan(
                "thousand",
                "a thousand Funcs by Zipf, with a heavy tail",
                40.0 * load,
                Box::new(move |_| 40.0 * load),
                Mix::Thousand,
            ),
            _ => return None,
        };
        Some(plan.made(shape, rng))
    }

    /// How many runners' worth of calls runs at once in each second, if none waits.
    pub(crate) fn demand(&self) -> Vec<f64> {
        let mut slot_micros = vec![0_u64; self.seconds as usize + 1];
        for request in &self.requests {
            let (mut from, until) = (request.at, request.at + u64::from(request.service));
            while from < until {
                let second = from / SECOND;
                let to = until.min((second + 1) * SECOND);
                if let Some(sum) = slot_micros.get_mut(second as usize) {
                    *sum += to - from;
                }
                from = to;
            }
        }
        slot_micros.iter().map(|micros| *micros as f64 / SECOND as f64 / self.usable).collect()
    }
}

/// How much of a trace is made.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) time: f64,
    pub(crate) load: f64,
}

impl Plan {
    fn made(self, shape: Shape, rng: &mut Rng) -> Trace {
        let funcs = if matches!(self.mix, Mix::Thousand) { 1000 } else { 1 };
        // The largest of a thousand makes for a seventh of the calls.
        let usable = shape.usable(if funcs == 1 { 1.0 } else { 1.0 / 7.0 });
        let rate_max = self.load_max * usable / SERVICE;
        let mut calls = Calls::new(&self.mix, funcs, rng);
        let mut requests = Vec::new();
        let mut at = 0.0;
        while at < self.seconds as f64 {
            let is_even = matches!(self.mix, Mix::Even);
            at += if is_even { 1.0 / rate_max } else { exponential(rng, 1.0 / rate_max) };
            if is_even || rng.f64() * self.load_max < (self.load)(at) {
                let (func, service) = calls.next(rng);
                let micros = |seconds: f64| (seconds * SECOND as f64) as u64;
                let service = u32::try_from(micros(service).max(1)).unwrap_or(u32::MAX);
                requests.push(Request { at: micros(at), func, service });
            }
        }
        requests.retain(|request| request.at < self.seconds * SECOND);
        let all: f64 = requests.iter().map(|request| f64::from(request.service)).sum();
        let service = all / SECOND as f64 / requests.len().max(1) as f64;
        Trace { name: self.name, about: self.about, funcs, seconds: self.seconds, requests, usable, service }
    }
}

/// The mixture of calls.
enum Calls {
    Even,
    One,
    Many { popular: Weighted, means: Vec<f64> },
}

impl Calls {
    /// The longest that a call may take.
    const SECONDS_MAX: f64 = 30.0;

    fn new(mix: &Mix, funcs: usize, rng: &mut Rng) -> Self {
        match mix {
            Mix::Even => Self::Even,
            Mix::One => Self::One,
            Mix::Thousand => Self::Many {
                popular: Weighted::zipf(funcs, 1.0),
                means: (0..funcs).map(|_| log_normal(rng, SERVICE, 1.0)).collect(),
            },
        }
    }

    fn next(&mut self, rng: &mut Rng) -> (u32, f64) {
        match self {
            Self::Even => (0, SERVICE),
            Self::One => (0, exponential(rng, SERVICE).min(Self::SECONDS_MAX)),
            Self::Many { popular, means } => {
                let func = popular.pick(rng);
                let mean = means.get(func).copied().unwrap_or(SERVICE);
                (func as u32, log_normal(rng, mean, 1.0).min(Self::SECONDS_MAX))
            }
        }
    }
}

/// Four runners' worth, and ten times that while it is on; phases are as long as chance has it.
fn on_off(rng: &mut Rng, seconds: f64, on: f64, off: f64, load: f64) -> Load {
    let (mut ends, mut at, mut is_on) = (Vec::new(), 0.0, false);
    while at < seconds {
        at += exponential(rng, if is_on { on } else { off });
        ends.push(at);
        is_on = !is_on;
    }
    Box::new(move |at| {
        let phase = ends.partition_point(|end| *end <= at);
        if phase % 2 == 1 { 40.0 * load } else { 4.0 * load }
    })
}

/// So long after a crowd has heard of something.
fn flash(after: f64) -> f64 {
    const BASE: f64 = 4.0;
    const PEAK: f64 = 60.0;
    const RISE: f64 = 10.0;
    const FALL: f64 = 300.0;
    if after < 0.0 {
        BASE
    } else if after < RISE {
        BASE + (PEAK - BASE) * after / RISE
    } else {
        BASE + (PEAK - BASE) * (-(after - RISE) / FALL).exp()
    }
}
