//! `Traced`: the calls of a message that are traced, while they are dispatched.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use telemetry::{Span, SpanKind, Tracer};
use wire::{Invoke, decode_line, encode_line};

/// What is read of every call when traces are on.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    traceparent: Option<Cow<'a, str>>,
}

/// The calls of a message that are traced. Their spans end when this is dropped.
pub(super) struct Traced<'t> {
    tracer: &'t Tracer,
    spans: Vec<Span>,
}

impl<'t> Traced<'t> {
    /// Begins the spans of calls that are traced, and has these calls carry on with them. The payload stays as it was
    /// when there are none.
    pub(super) fn begin(tracer: &'t Tracer, payload: &Bytes) -> (Self, Bytes) {
        let mut traced = Self { tracer, spans: Vec::new() };
        let Some(lines) = tracer.is_on().then(|| wire::bounded_lines(payload).ok()).flatten() else {
            return (traced, payload.clone());
        };
        let carried: Vec<Bytes> = lines.iter().map(|line| traced.carry_on(line)).collect();
        if traced.spans.is_empty() {
            return (traced, payload.clone());
        }
        let ended = carried.iter().map(|line| line.strip_suffix(b"\n").unwrap_or(line));
        let joined = ended.flat_map(|line| line.iter().copied().chain([b'\n'])).collect::<Vec<u8>>();
        (traced, joined.into())
    }

    fn carry_on(&mut self, line: &Bytes) -> Bytes {
        let traceparent = decode_line::<Head<'_>>(line).ok().and_then(|head| head.traceparent);
        let Some(root) = self.tracer.traced(traceparent.as_deref()) else { return line.clone() };
        let Ok(mut invoke) = decode_line::<Invoke>(line) else { return line.clone() };
        let activation = invoke.activation.to_string();
        let waited = Span::begin(root, "queue requests", SpanKind::Consumer)
            .with("messaging.destination.name", "requests")
            .with("funcatron.activation", activation.clone());
        let began = invoke.sent_us.map_or(waited.began, |sent_us| sent_us.saturating_mul(1000));
        self.tracer.record(Span { began: began.min(waited.ended), ..waited });
        let dispatch =
            Span::begin(root, "dispatch", SpanKind::Internal).with("funcatron.activation", activation);
        invoke.traceparent = Some(dispatch.context.to_string());
        invoke.sent_us = Some(dispatch.began / 1000);
        match encode_line(&invoke) {
            Ok(carried) => {
                self.spans.push(dispatch);
                carried
            }
            Err(_too_long) => line.clone(),
        }
    }
}

impl Drop for Traced<'_> {
    fn drop(&mut self) {
        for span in self.spans.drain(..) {
            self.tracer.record(Span { ended: telemetry::now(), ..span });
        }
    }
}
