//! `Trace`: what a call is made of, for whoever traces it.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use telemetry::{Context, Span, SpanKind, Tracer, now};
use wire::{Activation, Invoke};

/// Carries a call's place in a trace.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static(telemetry::TRACEPARENT);

/// A call that is traced. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Trace(Arc<Inner>);

struct Inner {
    tracer: Tracer,
    /// What the call came with, and its own span.
    parent: Context,
    call: Context,
    /// When it was put into the Func's queue.
    sent_us: Option<u64>,
    queue: String,
}

/// A part of a call. It ends when this is dropped.
pub(crate) struct Part {
    tracer: Tracer,
    span: Option<Span>,
}

impl Trace {
    /// The trace of a call, if it is in one. Replays are in none: theirs was the first one's.
    pub(crate) fn of(tracer: &Tracer, invoke: &Invoke, queue: &str) -> Option<Self> {
        let parent = tracer.traced(invoke.traceparent.as_deref())?;
        if invoke.replay.is_some() {
            return None;
        }
        let (tracer, sent_us) = (tracer.clone(), invoke.sent_us);
        Some(Self(Arc::new(Inner { tracer, parent, call: parent.child(), sent_us, queue: queue.to_owned() })))
    }

    /// The span of the call itself.
    pub(crate) fn context(&self) -> Context {
        self.0.call
    }

    /// Begins a part of the call.
    pub(crate) fn part(&self, name: &str, kind: SpanKind) -> Part {
        Part { tracer: self.0.tracer.clone(), span: Some(Span::begin(self.0.call, name, kind)) }
    }

    /// Begins to ask somebody else.
    pub(crate) fn request(&self, method: &http::Method, url: &Uri) -> Part {
        let mut part = self.part(method.as_str(), SpanKind::Client);
        part.note("http.request.method", method.as_str());
        // Not the query, which may hold secrets.
        part.note("url.path", url.path());
        part.note("server.address", url.host().unwrap_or_default());
        if let Some(port) = url.port_u16() {
            part.note("server.port", port);
        }
        part
    }

    /// The call ended at this moment, so long after it was begun.
    pub(crate) fn end(&self, record: &Activation, service: Duration, ended: u64) {
        let Inner { tracer, parent, call, sent_us, queue } = &*self.0;
        let began = ended.saturating_sub(u64::try_from(service.as_nanos()).unwrap_or(u64::MAX));
        let waited = Span::begin(*parent, "queue func", SpanKind::Consumer)
            .with("messaging.destination.name", queue.as_str())
            .with("funcatron.activation", record.id.to_string());
        let sent = sent_us.map_or(began, |sent_us| sent_us.saturating_mul(1000));
        tracer.record(Span { began: sent.min(began), ended: began, ..waited });
        let operation = record.operation.clone().unwrap_or_default();
        let span = Span::begin(*parent, "call", SpanKind::Internal)
            .with("faas.name", operation.clone())
            .with("faas.invocation_id", record.id.to_string())
            .with("faas.version", record.bundle.short())
            .with("funcatron.route", record.route.to_string())
            .with("funcatron.bundle", record.bundle.to_string())
            .with("funcatron.operation", operation)
            .with("funcatron.activation", record.id.to_string())
            .with("funcatron.request_id", record.request_id.to_string())
            .with("funcatron.attempt", record.attempt)
            .with("http.request.method", record.method.as_str())
            .with("url.path", record.path.as_str())
            .with("http.response.status_code", record.status);
        tracer.record(Span { context: *call, began, ended, is_error: record.status >= 500, ..span });
    }
}

impl Part {
    /// What whoever is asked carries on.
    pub(crate) fn traceparent(&self) -> Option<HeaderValue> {
        header(self.span.as_ref()?.context)
    }

    /// Notes something about it.
    pub(crate) fn note(&mut self, name: &'static str, value: impl Into<telemetry::Value>) {
        if let Some(span) = &mut self.span {
            span.attributes.push((name, value.into()));
        }
    }

    /// It failed.
    pub(crate) fn fail(&mut self) {
        if let Some(span) = &mut self.span {
            span.is_error = true;
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(span) = self.span.take() {
            self.tracer.record(Span { ended: now(), ..span });
        }
    }
}

/// A context as a header.
pub(crate) fn header(context: Context) -> Option<HeaderValue> {
    HeaderValue::from_str(&context.to_string()).ok()
}
