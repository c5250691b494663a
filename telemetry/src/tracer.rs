//! `Tracer`: where a member leaves the spans of what it does, if somebody wants to have them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tokio::sync::mpsc;
use wire::{MemberId, Percent, Role};

use crate::shipping::{Endpoint, Shipping};
use crate::{Context, Metric, Page, Source, Span};

static SPANS: Metric = Metric::counter(
    "funcatron_trace_spans",
    &["outcome"],
    "Spans that were exported, dropped because too many waited, or failed to be taken.",
);

/// Spans that wait to be exported: some seconds of a busy member, a few megabytes.
const WAITING_MAX: usize = 8_192;

/// The traces of a process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<Shared>>);

/// Where a member leaves its spans. Cheap to clone; without traces it does nothing.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Member>>);

pub(crate) struct Shared {
    /// Of requests whose sender has not decided.
    sample: Percent,
    waiting: mpsc::Sender<Told>,
    pub(crate) exported: AtomicU64,
    pub(crate) failed: AtomicU64,
    dropped: AtomicU64,
}

struct Member {
    traces: Arc<Shared>,
    resource: Arc<Resource>,
}

/// Who did something.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) role: Role,
    pub(crate) member: MemberId,
}

/// A span, and who it is of.
pub(crate) struct Told {
    pub(crate) resource: Arc<Resource>,
    pub(crate) span: Span,
}

impl Traces {
    /// Traces that go to `endpoint`, and what takes them there. Requests that come without a decision are traced at this
    /// rate.
    pub fn to(endpoint: Endpoint, sample: Percent) -> (Self, Shipping) {
        let (waiting, spans) = mpsc::channel(WAITING_MAX);
        let counts = [AtomicU64::default(), AtomicU64::default(), AtomicU64::default()];
        let [exported, failed, dropped] = counts;
        let shared = Arc::new(Shared { sample, waiting, exported, failed, dropped });
        (Self(Some(shared.clone())), Shipping::new(endpoint, spans, shared))
    }

    /// Where a member leaves its spans.
    pub fn tracer(&self, role: Role, member: &MemberId) -> Tracer {
        let resource = || Arc::new(Resource { role, member: member.clone() });
        let member = |traces: &Arc<Shared>| Arc::new(Member { traces: traces.clone(), resource: resource() });
        Tracer(self.0.as_ref().map(member))
    }
}

impl Tracer {
    /// Whether spans are wanted at all.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The span of a request that comes from outside with this context, if it is to be traced.
    pub fn root(&self, given: Option<Context>) -> Option<Context> {
        let member = self.0.as_ref()?;
        match given {
            Some(given) => given.is_sampled().then(|| given.child()),
            None => (fastrand::f64() * 100.0 < f64::from(member.traces.sample)).then(Context::root),
        }
    }

    /// The context of a call that came in a message, if it is traced here.
    pub fn traced(&self, traceparent: Option<&str>) -> Option<Context> {
        self.0.as_ref()?;
        traceparent?.parse().ok().filter(|context: &Context| context.is_sampled())
    }

    /// Leaves a span. One that there is no room for is counted and forgotten.
    pub fn record(&self, span: Span) {
        let Some(member) = &self.0 else { return };
        if member.traces.waiting.try_send(Told { resource: member.resource.clone(), span }).is_err() {
            member.traces.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl Source for Traces {
    async fn tell(&self, page: &mut Page) {
        page.declare(&[&SPANS]);
        let Some(shared) = &self.0 else { return };
        let counts =
            [("exported", &shared.exported), ("dropped", &shared.dropped), ("failed", &shared.failed)];
        for (outcome, count) in counts {
            page.count(&SPANS, &[outcome], count.load(Ordering::Relaxed));
        }
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Traces").field(&self.0.is_some()).finish()
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tracer").field(&self.0.is_some()).finish()
    }
}
