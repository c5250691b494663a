//! OTLP: spans as OpenTelemetry's protocol has them, in protobuf. Written by ourselves, as it is all that is needed of it:
//! our spans begin in one process and end in another, and have ids that travel with the calls.

mod protobuf;

use std::sync::Arc;

use crate::span::{Span, SpanKind, Value};
use crate::tracer::{Resource, Told};
use protobuf::Message;

/// A request of the trace service, `ExportTraceServiceRequest`.
pub(crate) fn request(spans: &[Told]) -> Vec<u8> {
    let mut resources: Vec<&Arc<Resource>> = Vec::new();
    for told in spans {
        if !resources.iter().any(|known| Arc::ptr_eq(known, &told.resource)) {
            resources.push(&told.resource);
        }
    }
    let mut request = Message::default();
    for resource in resources {
        let of_resource = spans.iter().filter(|told| Arc::ptr_eq(&told.resource, resource));
        let scope = Message::default().text(1, "funcatron").text(2, env!("CARGO_PKG_VERSION"));
        let scope_spans = of_resource
            .fold(Message::default().message(1, &scope), |all, told| all.message(2, &span(&told.span)));
        let about = [
            ("service.name", format!("funcatron-{}", resource.role)),
            ("service.instance.id", resource.member.to_string()),
            ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        let about = about.into_iter().fold(Message::default(), |about, (name, value)| {
            about.message(1, &attribute(name, &Value::Text(value)))
        });
        request = request.message(1, &Message::default().message(1, &about).message(2, &scope_spans));
    }
    request.into_bytes()
}

fn span(span: &Span) -> Message {
    let Span { context, parent, name, kind, began, ended, attributes, is_error } = span;
    let mut message =
        Message::default().bytes(1, &context.trace.to_be_bytes()).bytes(2, &context.span.to_be_bytes());
    if let Some(parent) = parent {
        message = message.bytes(4, &parent.span.to_be_bytes());
    }
    message = message.text(5, name).number(6, kind_number(*kind)).fixed64(7, *began).fixed64(8, *ended);
    for (name, value) in attributes {
        message = message.message(9, &attribute(name, value));
    }
    if *is_error {
        message = message.message(15, &Message::default().number(3, 2));
    }
    message
}

fn kind_number(kind: SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Consumer => 5,
    }
}

fn attribute(name: &str, value: &Value) -> Message {
    let value = match value {
        Value::Text(text) => Message::default().text(1, text),
        Value::Number(number) => Message::default().number(3, number.cast_unsigned()),
    };
    Message::default().text(1, name).message(2, &value)
}
