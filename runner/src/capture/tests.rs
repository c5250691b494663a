//! No secret leaves a runner in a capture, and all else is as it was.

mod canaries;
mod credentials;
mod echoes;
mod exchanges;
mod places;
mod weights;

use serde_json::json;
use swagger::{BasePath, Document};
use wire::capture::{CaptureEntry, Drawn, HostCall, HttpExchange, HttpOutcome};
use wire::{
    Activation, ActivationId, Answer, Body, BundleSha, Invoke, Level, LogLine, MemberId, Namespace,
    RequestId, Role, RouteId, Stream, Timestamp, Version,
};

use super::redaction::{redact, shown_path};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn document() -> Document {
    let password = json!({"type": "string", "format": "password"});
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}, "password": password,
        "cards": {"type": "array", "items": {"properties": {"pin": {"x-funcatron-secret": true}}}}}});
    let content = json!({JSON: {"schema": schema}, FORM: {"schema": schema}});
    let post = json!({"operationId": "login", "requestBody": {"content": content},
        "parameters": [
            {"name": "code", "in": "path", "required": true, "schema": password},
            {"name": "pin", "in": "query", "x-funcatron-secret": true, "schema": {"type": "string"}},
            {"name": "X-Pin", "in": "header", "schema": password}],
        "responses": {"200": {"description": "ok", "content": {JSON: {"schema": schema}},
            "headers": {"X-Token": {"schema": password}}}}});
    let schemes = json!({"k": {"type": "apiKey", "in": "header", "name": "X-Our-Key"},
        "q": {"type": "apiKey", "in": "query", "name": "our_key"}});
    let document = json!({"openapi": "3.0.3", "info": {"title": "T", "version": "1"},
        "components": {"securitySchemes": schemes}, "paths": {"/login/{code}": {"post": post},
        "/codes/of-{code}.json": {"post": {"operationId": "code", "parameters": [post["parameters"][0]],
            "responses": {"200": {"description": "ok"}}}}}});
    Document::parse(document.to_string().as_bytes()).unwrap()
}

fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A call and what came of it.
fn entry(path: &str, content_type: &str, body: Body) -> CaptureEntry {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (id, activation, namespace) = (RequestId::generate(), ActivationId::generate(), Namespace::default());
    let (at, route) = (Timestamp(1), RouteId::of(&namespace, "*", "/api"));
    let invoke = Invoke {
        v: Version,
        id: id.clone(),
        activation,
        namespace: namespace.clone(),
        at,
        deadline: Timestamp(2),
        attempt: 1,
        retry: 0,
        reply_to: Some("reply.a".into()),
        asynchronous: false,
        queue: None,
        bundle: None,
        replay: None,
        method: "POST".into(),
        scheme: "http".into(),
        host: "a.test".into(),
        path: path.into(),
        query: query.into(),
        headers: pairs(&[("content-type", content_type), ("accept", "*/*")]),
        client: None,
        traceparent: None,
        sent_us: None,
        body,
    };
    let answer = Answer {
        v: Version,
        id: id.clone(),
        activation,
        attempt: 1,
        bundle: None,
        status: 200,
        headers: pairs(&[("content-type", JSON)]),
        body: Body::from(r#"{"name": "ada"}"#),
        part: 0,
        more: false,
    };
    let activation = Activation {
        v: Version,
        id: activation,
        request_id: id,
        namespace,
        route,
        bundle: BundleSha::of(b"bundle"),
        operation: Some("login".into()),
        attempt: 1,
        member: MemberId::generate(Role::Runner),
        method: "POST".into(),
        path: path.into(),
        status: 200,
        at,
        queued_ms: 1,
        service_us: 1,
        cpu_us: 1,
        error: None,
        replay_of: None,
        difference: None,
        logs: vec![LogLine {
            at,
            at_us: None,
            stream: Stream::Stdout,
            level: Level::Info,
            text: "hello".into(),
        }],
    };
    CaptureEntry { v: Version, invoke, answer, activation, drawn: Drawn::default(), redacted: Vec::new() }
}

/// The entry as a runner publishes it.
fn redacted(mut entry: CaptureEntry) -> CaptureEntry {
    let (document, base_path) = (document(), BasePath::parse("/api").unwrap());
    entry.activation.path = shown_path(&document, &base_path, &entry.invoke);
    redact(&mut entry, &document, &base_path);
    entry
}

fn text(body: &Body) -> &str {
    let Body::Inline(bytes) = body else { panic!("stored") };
    std::str::from_utf8(bytes).unwrap()
}

/// Has the Func send this to somebody else.
fn sending(entry: CaptureEntry, url: &str, headers: &[(&str, &str)]) -> CaptureEntry {
    let exchange = HttpExchange {
        at_us: 1,
        took_us: 1,
        method: "GET".into(),
        url: url.into(),
        headers: pairs(headers),
        body: Body::EMPTY,
        outcome: HttpOutcome::Failed("x".into()),
    };
    let drawn = Drawn { calls: vec![HostCall::Http(Box::new(exchange))], ..Drawn::default() };
    CaptureEntry { drawn, ..entry }
}
