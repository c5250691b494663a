//! `Config`: what a runner is given, and the limits of every call with their reasons.

use std::path::PathBuf;
use std::time::Duration;

use telemetry::Tracer;
use wire::{Labels, MemberId, PoolName};

use crate::Metrics;

/// Calls that may run at once on one thread. Most of them wait for something, a spinning one is made
/// to share; what bounds the number is memory: each keeps a slot of the pool.
const SLOTS: usize = 32;
/// The linear memory of one call, all memories of its component together. Enough for an interpreter
/// with its heap, and a runner with all its slots full still fits a small machine.
const MEMORY_MAX: usize = 128 << 20;
/// How long a call may take when neither the invoke nor the operation says less.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a call may compute. Whoever computes for longer belongs in a batch job: it holds a
/// thread that others wait for.
const CPU_MAX: Duration = Duration::from_secs(10);
/// How often a call is begun. What ends a runner twice will not succeed the third time, and a runner
/// that was merely stopped needs one more.
const ATTEMPTS_MAX: u32 = 3;
/// The body of a request that its document describes: it is held in memory to be checked.
const REQUEST_BYTES_MAX: u64 = 10 << 20;
/// The body of a response that its document describes, or does not know: it is held in memory too.
const RESPONSE_BYTES_MAX: usize = 10 << 20;
/// The body of a response that its document lets pass unread, into the store. As much as a frontend
/// takes in.
const STORED_BYTES_MAX: u64 = 1 << 30;
/// What a call may print; the rest is cut off and a line says so.
const LOG_BYTES_MAX: usize = 64 << 10;
/// Requests that one call may send, so that a Func is no tool for flooding others.
const OUTBOUND_REQUESTS_MAX: u32 = 50;
/// How long running calls have to finish once the runner is told to stop: as long as a call may take.
const DRAIN_TIMEOUT: Duration = CALL_TIMEOUT;

/// What a runner is given.
#[derive(Clone, Debug)]
pub struct Config {
    /// Names this runner.
    pub member: MemberId,
    /// The pool that it was started for.
    pub pool: Option<PoolName>,
    /// What the substrate that started it calls it.
    pub instance: Option<String>,
    /// What Funcs may ask for.
    pub labels: Labels,
    /// How many Funcs it holds at most.
    pub funcs_max: Option<usize>,
    /// Threads that run Funcs, each with an event loop of its own.
    pub threads: usize,
    /// Calls that may run at once on one thread.
    pub slots: usize,
    /// Bytes of linear memory for one call.
    pub memory_max: usize,
    /// How long a call may take.
    pub call_timeout: Duration,
    /// How long a call may compute.
    pub cpu_max: Duration,
    /// How often a call is begun that is cut off.
    pub attempts_max: u32,
    /// Bytes of a request's body that is held to be checked.
    pub request_bytes_max: u64,
    /// Bytes of a response's body that is held.
    pub response_bytes_max: usize,
    /// Bytes of a response's body that passes unread into the store.
    pub stored_bytes_max: u64,
    /// Bytes that a call may print.
    pub log_bytes_max: usize,
    /// Requests that one call may send.
    pub outbound_requests_max: u32,
    /// How long running calls have to finish after `shutdown`.
    pub drain_timeout: Duration,
    /// Where compiled code is kept.
    pub cache_dir: PathBuf,
    /// Where compiled code lies that came with the program and is as good as it is; it is only read.
    pub shipped_dir: Option<PathBuf>,
    /// The program that compiles when it is run with the argument `compile`: see [`crate::compile`].
    pub compiler: PathBuf,
    /// Whether Funcs tell the client what went wrong inside them.
    pub dev: bool,
    /// Where it counts, for whoever asks.
    pub metrics: Metrics,
    /// Where it leaves the spans of calls.
    pub tracer: Tracer,
}

impl Config {
    /// A runner with the default limits and a thread for each processor.
    pub fn new(member: MemberId, cache_dir: PathBuf, compiler: PathBuf) -> Self {
        // Beside `bin`, as a library of the program.
        let shipped_dir = compiler.parent().and_then(|bin| Some(bin.parent()?.join("lib/funcatron")));
        Self {
            member,
            pool: None,
            instance: None,
            labels: Labels::default(),
            funcs_max: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            slots: SLOTS,
            memory_max: MEMORY_MAX,
            call_timeout: CALL_TIMEOUT,
            cpu_max: CPU_MAX,
            attempts_max: ATTEMPTS_MAX,
            request_bytes_max: REQUEST_BYTES_MAX,
            response_bytes_max: RESPONSE_BYTES_MAX,
            stored_bytes_max: STORED_BYTES_MAX,
            log_bytes_max: LOG_BYTES_MAX,
            outbound_requests_max: OUTBOUND_REQUESTS_MAX,
            drain_timeout: DRAIN_TIMEOUT,
            cache_dir,
            shipped_dir,
            compiler,
            dev: false,
            metrics: Metrics::default(),
            tracer: Tracer::default(),
        }
    }
}
