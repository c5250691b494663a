//! `Tracer`: where a member leaves the spans of what it does, if somebody wants to have them.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
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

/// Spans that wait to be exported: some seconds of a busy member. Mostly some megabytes, and twenty if all that clients
/// choose of them is as long as it may be.
const WAITING_MAX: usize = 8_192;

/// The traces of a process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<Shared>>);

/// Where a member leaves its spans. Cheap to clone; without traces it does nothing.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Member>>);

pub(crate) struct Shared {
    /// Of requests whose sender has not decided, or is not trusted to.
    sample: Percent,
    /// What lots are drawn with, so that a trace is kept here whole or not at all and nobody can choose one that is.
    lots: RandomState,
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
    /// Traces that go to `endpoint`, and what takes them there. Requests that come without a decision of somebody who is
    /// trusted are traced at this rate.
    pub fn to(endpoint: Endpoint, sample: Percent) -> (Self, Shipping) {
        let (waiting, spans) = mpsc::channel(WAITING_MAX);
        let counts = [AtomicU64::default(), AtomicU64::default(), AtomicU64::default()];
        let [exported, failed, dropped] = counts;
        let shared =
            Arc::new(Shared { sample, lots: RandomState::new(), waiting, exported, failed, dropped });
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

    /// The span of a request that comes from outside with this context, if it is to be traced. A sender who is not trusted
    /// can have no more traced than would be anyway.
    pub fn root(&self, given: Option<Context>, is_trusted: bool) -> Option<Context> {
        let Member { traces, .. } = &**self.0.as_ref()?;
        match given {
            Some(given) if !given.is_sampled() => None,
            Some(given) => (is_trusted || traces.takes(given)).then(|| given.child()),
            None => Some(Context::root()).filter(|root| traces.takes(*root)),
        }
    }

    /// The context of a call that came in a message, if it is traced here.
    pub fn traced(&self, traceparent: Option<&str>) -> Option<Context> {
        self.0.as_ref()?;
        traceparent?.parse().ok().filter(|context: &Context| context.is_sampled())
    }

    /// Leaves a span. One that there is no room for is counted and forgotten.
    pub fn record(&self, mut span: Span) {
        let Some(member) = &self.0 else { return };
        span.clip();
        if member.traces.waiting.try_send(Told { resource: member.resource.clone(), span }).is_err() {
            member.traces.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Shared {
    #[expect(clippy::cast_precision_loss, reason = "a share is a number of few digits")]
    fn takes(&self, context: Context) -> bool {
        let lot = self.lots.hash_one(context.trace) as f64 / u64::MAX as f64;
        // Of 1 there is none, so that all of them are taken.
        lot * 100.0 < f64::from(self.sample) || self.sample == Percent::ALL
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tracer(share: &str) -> Tracer {
        let (traces, _shipping) = Traces::to("http://a.test".parse().unwrap(), share.parse().unwrap());
        traces.tracer(Role::Frontend, &MemberId::generate(Role::Frontend))
    }

    #[test]
    fn a_sender_decides_only_if_he_is_trusted() {
        let (all, none) = (tracer("100%"), tracer("0%"));
        let sampled = Context::root();
        for (tracer, given, is_trusted, is_traced) in [
            (&none, Some(sampled), true, true),
            (&none, Some(sampled), false, false),
            (&none, None, true, false),
            (&all, Some(sampled), false, true),
            (&all, Some(sampled.unsampled()), true, false),
            (&all, Some(sampled.unsampled()), false, false),
            (&all, None, false, true),
        ] {
            let root = tracer.root(given, is_trusted);
            assert_eq!(root.is_some(), is_traced, "{given:?} {is_trusted}");
            assert!(given.is_none() || root.is_none_or(|root| root.trace_id() == sampled.trace_id()));
        }
    }

    #[test]
    fn of_one_trace_all_is_kept_or_nothing() {
        let tracer = tracer("10%");
        let taken = |context: &Context| tracer.root(Some(*context), false).is_some();
        let sent: Vec<Context> = (0..2_000).map(|_| Context::root()).collect();
        let kept: Vec<&Context> = sent.iter().filter(|context| taken(context)).collect();
        assert!((120..280).contains(&kept.len()), "{}", kept.len());
        assert!(kept.into_iter().all(|context| taken(context) && taken(&context.child())));
    }
}
