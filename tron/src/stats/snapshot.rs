//! `Snapshot`: what is known of runners and queues at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::broker::Depth;
use wire::{Histogram, Labels, PoolName, PoolReport};

/// What is known of runners and queues at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// Every runner that was heard of lately.
    pub(crate) runners: Vec<RunnerSeen>,
    /// The queue of every Func, those that drain included.
    pub(crate) queues: BTreeMap<String, QueueSeen>,
    /// What the Tron that scales says of its pools.
    pub(crate) pools: Vec<PoolReport>,
}

/// A runner. What it says is not taken further than it can be true.
#[derive(Clone, Debug)]
pub(crate) struct RunnerSeen {
    /// The pool that it was started for, and what the substrate calls it.
    pub(crate) pool: Option<PoolName>,
    pub(crate) instance: Option<String>,
    pub(crate) labels: Labels,
    /// The deployment that it holds, 0 for none, and the Funcs that it could not load: queue and reason.
    pub(crate) version: u64,
    pub(crate) failed: BTreeMap<String, String>,
    /// Whether it takes nothing more.
    pub(crate) leaving: bool,
    pub(crate) threads: usize,
    /// Calls that may run at once on all threads.
    pub(crate) slots: usize,
    /// Slots that were held between its last two reports, on average; `slots` at most.
    pub(crate) busy: f64,
    /// Processors that its process used meanwhile, on average; `threads` at most.
    pub(crate) cpu: f64,
    /// Calls that it was given and that wait for room at present.
    pub(crate) waiting: u64,
    /// Its Funcs that had something to do in the last seconds, by queue.
    pub(crate) funcs: BTreeMap<String, FuncSeen>,
}

/// What a runner did for a Func in the last seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct FuncSeen {
    /// The time that this is of.
    pub(crate) time: Duration,
    /// Calls that it was given, and the messages that they came in.
    pub(crate) calls: u64,
    pub(crate) deliveries: u64,
    /// Calls that failed.
    pub(crate) failures: u64,
    /// Calls that ended after they were begun.
    pub(crate) ended: u64,
    /// How long each of these took on average, and how much of it they computed.
    pub(crate) service: Duration,
    pub(crate) cpu: Duration,
    /// Slots that were held, on average.
    pub(crate) busy: f64,
    /// Calls that run, and that wait for room, at present.
    pub(crate) in_flight: u64,
    pub(crate) waiting: u64,
}

/// The queue of a Func, and what all runners together did with it in the last seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueueSeen {
    /// What its Func asks of a runner.
    pub(crate) placement: Labels,
    /// What the broker says; none when it is not there, or nobody could look for long.
    pub(crate) depth: Option<Depth>,
    /// Calls that runners were given, in a second.
    pub(crate) rate: f64,
    /// Calls that failed, in a second.
    pub(crate) failures: f64,
    /// Calls that ended after they were begun, in a second, and the processors that these used.
    pub(crate) ended: f64,
    pub(crate) cpu: f64,
    /// Calls that run, and that wait for room in a runner, at present.
    pub(crate) in_flight: u64,
    pub(crate) waiting: u64,
    /// Microseconds from the acceptance of a call until it was begun, and from then to its answer.
    pub(crate) queue_us: Histogram,
    pub(crate) service_us: Histogram,
}

impl FuncSeen {
    /// So many in this time, in a second.
    pub(crate) fn per_second(&self, count: u64) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a rate for people and for estimates")]
        let count = count as f64;
        if self.time.is_zero() { 0.0 } else { count / self.time.as_secs_f64() }
    }
}

impl QueueSeen {
    /// Adds what one runner did.
    pub(super) fn add(&mut self, func: &FuncSeen) {
        self.rate += func.per_second(func.calls);
        self.failures += func.per_second(func.failures);
        let ended = func.per_second(func.ended);
        self.ended += ended;
        self.cpu += ended * func.cpu.as_secs_f64();
        self.in_flight = self.in_flight.saturating_add(func.in_flight);
        self.waiting = self.waiting.saturating_add(func.waiting);
    }
}
