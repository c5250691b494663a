//! `Root`: the first span of a request, from its head to the head of its response.

use http::{HeaderMap, Method, StatusCode};
use telemetry::{Context, Span, SpanKind, TRACEPARENT, Tracer};
use wire::RequestId;

use crate::{Config, health, metrics};

/// The first span of a request, if it is traced. It ends when this is dropped.
pub(crate) struct Root {
    /// What the call carries on.
    pub(crate) onward: Option<Context>,
    open: Option<Box<(Tracer, Span)>>,
}

impl Root {
    /// Decides whether the request is traced: as its sender did, if he sent a context that is one and `config` trusts
    /// whoever sends.
    pub(crate) fn begin(config: &Config, method: &Method, path: &str, headers: &HeaderMap) -> Self {
        let (tracer, given) = (&config.tracer, given(headers));
        if !tracer.is_on() || path == health::PATH {
            return Self { onward: given, open: None };
        }
        let Some(context) = tracer.root(given, config.trusts_forwarded) else {
            // Whoever is next goes by what was decided here.
            return Self { onward: given.map(Context::unsampled), open: None };
        };
        // Clients can make up methods; a name is one of few.
        let (name, method) = match method.as_str() {
            known if metrics::is_known(method) => (known, known),
            _ => ("HTTP", "_OTHER"),
        };
        let span = Span { context, parent: given, ..Span::begin(context, name, SpanKind::Server) };
        let span = span.with("http.request.method", method).with("url.path", path);
        Self { onward: Some(context), open: Some(Box::new((tracer.clone(), span))) }
    }

    /// The trace that the request is in, if it is traced here.
    pub(crate) fn traced(&self) -> Option<Context> {
        self.open.as_ref().map(|open| open.1.context)
    }

    /// There is a response with this status.
    pub(crate) fn end(mut self, status: StatusCode, id: &RequestId) {
        if let Some(open) = &mut self.open {
            open.1.attributes.push(("http.response.status_code", status.as_u16().into()));
            open.1.attributes.push(("funcatron.request_id", id.as_str().into()));
            open.1.is_error = status.is_server_error();
        }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if let Some((tracer, span)) = self.open.take().map(|open| *open) {
            tracer.record(Span { ended: telemetry::now(), ..span });
        }
    }
}

/// The only context that the sender has sent, if it is one.
pub(crate) fn given(headers: &HeaderMap) -> Option<Context> {
    let mut sent = headers.get_all(TRACEPARENT).iter();
    let (only, None) = (sent.next()?, sent.next()) else { return None };
    only.to_str().ok()?.parse().ok()
}
