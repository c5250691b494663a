//! `Metrics`: what a frontend counts about its requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use http::{Method, StatusCode};
use telemetry::{ByStatus, Context, CountBy, Metric, Page, Source, Timing};
use wire::ProblemKind;
use wire::replies::InFlight;

static REQUESTS: Metric = Metric::counter(
    "funcatron_frontend_requests",
    &["method", "status"],
    "Requests that were answered, by method and class of status.",
);
static DURATION: Metric = Metric::histogram(
    "funcatron_frontend_request_duration_seconds",
    &["status"],
    "From the head of a request to the head of its response, by class of status.",
);
static REFUSALS: Metric = Metric::counter(
    "funcatron_frontend_refusals",
    &["reason"],
    "Requests that the frontend answered itself, by what was wrong.",
);
static ABANDONED: Metric = Metric::counter(
    "funcatron_frontend_abandoned",
    &[],
    "Requests whose client left before there was a response.",
);
static REQUESTS_IN_FLIGHT: Metric =
    Metric::gauge("funcatron_frontend_requests_in_flight", &[], "Requests without a response yet.");
static CALLS_IN_FLIGHT: Metric =
    Metric::gauge("funcatron_frontend_calls_in_flight", &[], "Calls whose answer is waited for.");
static CALLS_MAX: Metric = Metric::gauge(
    "funcatron_frontend_calls_in_flight_max",
    &[],
    "How many such calls there may be; further ones are refused.",
);

/// Those that there are requests of; one place more is for others, which are refused.
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
const OTHER: &str = "other";

/// Whether there are requests of this method.
pub(crate) fn is_known(method: &Method) -> bool {
    METHODS.contains(method)
}

/// What a frontend counts about its requests. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Held for some nanoseconds, twice a request.
    counts: Mutex<Counts>,
    in_flight: Mutex<Option<InFlight>>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: [ByStatus<u64>; METHODS.len() + 1],
    durations: ByStatus<Timing>,
    refusals: CountBy<ProblemKind>,
    abandoned: u64,
    in_flight: u64,
}

/// A request that is being answered, until that has ended or is given up.
pub(crate) struct Answering {
    metrics: Metrics,
    method: usize,
    began: Instant,
    is_answered: bool,
}

impl Metrics {
    /// Counts a request from now on.
    pub(crate) fn begin(&self, method: &Method) -> Answering {
        self.counts().in_flight += 1;
        let method = METHODS.iter().position(|known| known == method).unwrap_or(METHODS.len());
        Answering { metrics: self.clone(), method, began: Instant::now(), is_answered: false }
    }

    /// Counts a request that the frontend answers itself.
    pub(crate) fn refuse(&self, kind: ProblemKind) {
        self.counts().refusals.add(kind);
    }

    /// Tells of these calls as well.
    pub(crate) fn watch(&self, in_flight: InFlight) {
        *self.0.in_flight.lock().unwrap_or_else(PoisonError::into_inner) = Some(in_flight);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answering {
    /// There is a response with this status.
    pub(crate) fn end(mut self, status: StatusCode, traced: Option<Context>) {
        self.is_answered = true;
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut counts = self.metrics.counts();
        *counts.requests[self.method].of(status.as_u16()) += 1;
        counts.durations.of(status.as_u16()).add(micros, traced);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut counts = self.metrics.counts();
        counts.in_flight -= 1;
        counts.abandoned += u64::from(!self.is_answered);
    }
}

#[async_trait]
impl Source for Metrics {
    async fn tell(&self, page: &mut Page) {
        page.declare(&[&REQUESTS, &DURATION, &REFUSALS]);
        if let Some(in_flight) = &*self.0.in_flight.lock().unwrap_or_else(PoisonError::into_inner) {
            page.count(&CALLS_IN_FLIGHT, &[], in_flight.len() as u64);
            page.count(&CALLS_MAX, &[], in_flight.max() as u64);
        }
        let counts = self.counts();
        page.count(&REQUESTS_IN_FLIGHT, &[], counts.in_flight);
        page.count(&ABANDONED, &[], counts.abandoned);
        for (method, classes) in counts.requests.iter().enumerate() {
            let method = METHODS.get(method).map_or(OTHER, Method::as_str);
            for (class, count) in classes.iter().filter(|(_, count)| **count > 0) {
                page.count(&REQUESTS, &[method, class], *count);
            }
        }
        for (class, duration) in counts.durations.iter().filter(|(_, time)| !time.is_empty()) {
            page.time(&DURATION, &[class], duration);
        }
        for (kind, count) in counts.refusals.iter() {
            page.count(&REFUSALS, &[&kind.name()], count);
        }
    }
}
