//! `Metrics`: what a runner tells about its Funcs and their calls.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use telemetry::{Metric, Page, Source, Timing};
use wire::FuncAssignment;
use wire::broker::func_of;

use crate::Config;
use crate::operations::Operation;
use crate::tallies::Tallies;

const FUNC: &[&str] = &["route", "bundle"];
const OPERATION: &[&str] = &["route", "bundle", "operation"];

static CALLS: Metric = Metric::counter(
    "funcatron_runner_calls",
    &["route", "bundle", "operation", "status"],
    "Calls that ended, by class of status.",
);
static ERRORS: Metric = Metric::counter(
    "funcatron_runner_errors",
    &["route", "bundle", "operation", "reason"],
    "Calls that the platform answered in the Func's place, by what was wrong.",
);
static QUEUE: Metric = Metric::histogram(
    "funcatron_runner_call_queue_seconds",
    OPERATION,
    "From the acceptance of a call by a frontend until it was begun.",
);
static SERVICE: Metric =
    Metric::histogram("funcatron_runner_call_duration_seconds", OPERATION, "From then to its answer.");
static CPU: Metric =
    Metric::counter("funcatron_runner_call_cpu_seconds", OPERATION, "Processor time that calls have used.");
static ARRIVALS: Metric =
    Metric::counter("funcatron_runner_arrivals", FUNC, "Calls that came from the queue.");
static IN_FLIGHT: Metric = Metric::gauge("funcatron_runner_calls_in_flight", FUNC, "Calls that run.");
static WAITING: Metric =
    Metric::gauge("funcatron_runner_calls_waiting", FUNC, "Calls that came and wait for a slot.");
static LOADS: Metric = Metric::counter(
    "funcatron_runner_loads",
    &["route", "bundle", "outcome"],
    "Bundles that were fetched, compiled if need be and linked for a route, by whether that was possible.",
);
static LOAD_TIME: Metric =
    Metric::histogram("funcatron_runner_load_duration_seconds", &[], "How long that took.");
static SLOTS: Metric = Metric::gauge("funcatron_runner_slots", &[], "Calls that may run at once.");
static THREADS: Metric = Metric::gauge("funcatron_runner_threads", &[], "Threads that run Funcs.");

/// Funcs whose loads are told apart: far more than a runner holds. What comes after that is counted in the time alone.
const LOADED_MAX: usize = 10_000;

/// What a runner tells about its Funcs and their calls. Cheap to clone.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Shared>);

#[derive(Default)]
struct Shared {
    tallies: Arc<Tallies>,
    loads: Mutex<Loads>,
}

#[derive(Default)]
struct Loads {
    slots: usize,
    threads: usize,
    time: Timing,
    /// By queue: how many succeeded and failed, the Func that was loaded first first.
    funcs: Vec<(String, [u64; 2])>,
}

impl Metrics {
    /// What is counted of each Func.
    pub(crate) fn tallies(&self) -> Arc<Tallies> {
        self.0.tallies.clone()
    }

    /// Tells how large the runner is.
    pub(crate) fn size(&self, config: &Config) {
        let mut loads = self.loads();
        loads.threads = config.threads;
        loads.slots = config.threads.saturating_mul(config.slots);
    }

    /// Counts that a Func was loaded, or was not.
    pub(crate) fn load(&self, func: &FuncAssignment, time: Duration, is_loaded: bool) {
        let mut loads = self.loads();
        loads.time.add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), None);
        let known = loads.funcs.iter().position(|(queue, _)| *queue == func.queue);
        let index = known.unwrap_or(loads.funcs.len());
        if index == loads.funcs.len() && index < LOADED_MAX {
            loads.funcs.push((func.queue.clone(), [0; 2]));
        }
        if let Some((_, counts)) = loads.funcs.get_mut(index) {
            counts[usize::from(!is_loaded)] += 1;
        }
    }

    fn loads(&self) -> MutexGuard<'_, Loads> {
        self.0.loads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Source for Metrics {
    async fn tell(&self, page: &mut Page) {
        page.declare(&[
            &CALLS, &ERRORS, &QUEUE, &SERVICE, &CPU, &ARRIVALS, &IN_FLIGHT, &WAITING, &LOADS, &LOAD_TIME,
        ]);
        for (queue, tally) in self.0.tallies.all() {
            let Some((route, bundle)) = func_of(&queue) else { continue };
            let (stats, _) = tally.report();
            page.count(&ARRIVALS, &[route, bundle], stats.arrivals);
            page.count(&IN_FLIGHT, &[route, bundle], stats.in_flight);
            page.count(&WAITING, &[route, bundle], stats.waiting);
            for operation in tally.operations().iter() {
                tell(page, &[route, bundle, &operation.id], operation);
            }
        }
        self.loads().tell(page);
    }
}

impl Loads {
    fn tell(&self, page: &mut Page) {
        page.count(&SLOTS, &[], self.slots as u64);
        page.count(&THREADS, &[], self.threads as u64);
        page.time(&LOAD_TIME, &[], &self.time);
        for (queue, counts) in &self.funcs {
            let Some((route, bundle)) = func_of(queue) else { continue };
            for (outcome, count) in ["loaded", "failed"].into_iter().zip(counts) {
                page.count(&LOADS, &[route, bundle, outcome], *count);
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "seconds")]
fn tell(page: &mut Page, labels: &[&str; 3], operation: &Operation) {
    let [route, bundle, id] = *labels;
    for (class, count) in operation.statuses.iter().filter(|(_, count)| **count > 0) {
        page.count(&CALLS, &[route, bundle, id, class], *count);
    }
    for (kind, count) in operation.errors.iter() {
        page.count(&ERRORS, &[route, bundle, id, &kind.name()], count);
    }
    page.time(&QUEUE, labels, &operation.queue);
    page.time(&SERVICE, labels, &operation.service);
    page.add(&CPU, labels, operation.cpu_us as f64 / 1e6);
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
