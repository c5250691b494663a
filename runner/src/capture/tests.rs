//! No secret leaves a runner in a capture, and all else is as it was.

use proptest::prelude::*;
use serde_json::json;
use swagger::{BasePath, Document};
use wire::capture::{CaptureEntry, Drawn, HostCall, HttpExchange, HttpOutcome};
use wire::{
    Activation, ActivationId, Answer, Body, BodySha, BundleSha, Invoke, Level, LogLine, MemberId, Namespace,
    RequestId, Role, RouteId, StoredBody, Stream, Timestamp, Version, encode_line,
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
        "components": {"securitySchemes": schemes}, "paths": {"/login/{code}": {"post": post}}});
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
        logs: vec![LogLine { at, stream: Stream::Stdout, level: Level::Info, text: "hello".into() }],
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

#[test]
fn what_is_secret_is_taken_out_and_noted() {
    let body = r#"{ "name":"ada", "password":"hunter22", "cards":[{"pin":1},{"pin":2,"n":3}] }"#;
    let mut entry = entry("/api/login/abcd?a=1&pin=1234&our_key=k&b=%20", JSON, Body::from(body));
    entry.invoke.headers.extend(pairs(&[
        ("cookie", "a=b"),
        ("cookie", "c=d"),
        ("x-our-key", "k"),
        ("x-pin", "1"),
    ]));
    entry.answer.headers.extend(pairs(&[("set-cookie", "a=b"), ("x-token", "t"), ("x-other", "o")]));
    let entry = redacted(entry);
    let expected = r#"{ "name":"ada", "password":"[redacted]", "cards":[{"pin":"[redacted]"},{"pin":"[redacted]","n":3}] }"#;
    assert_eq!(text(&entry.invoke.body), expected);
    assert_eq!(entry.invoke.query, "a=1&pin=%5Bredacted%5D&our_key=%5Bredacted%5D&b=%20");
    assert_eq!(entry.invoke.path, "/api/login/%5Bredacted%5D");
    assert_eq!(entry.activation.path, entry.invoke.path);
    assert_eq!(text(&entry.answer.body), r#"{"name": "ada"}"#);
    assert_eq!(entry.answer.headers[3].1, "o");
    let mut places: Vec<&str> = entry.redacted.iter().map(String::as_str).collect();
    places.sort_unstable();
    let expected = [
        "answer.headers.set-cookie",
        "answer.headers.x-token",
        "invoke.body/cards/0/pin",
        "invoke.body/cards/1/pin",
        "invoke.body/password",
        "invoke.headers.cookie",
        "invoke.headers.x-our-key",
        "invoke.headers.x-pin",
        "invoke.path",
        "invoke.query/our_key",
        "invoke.query/pin",
    ];
    assert_eq!(places, expected);
}

#[test]
fn a_body_that_cannot_be_taken_apart_is_dropped_whole() {
    let stored = StoredBody { object: BodySha::of(b"a"), sha256: BodySha::of(b"a"), len: 1 << 20 };
    for (content_type, body) in [
        (JSON, Body::from(r#"{"password":"hunter22"#)),
        ("image/png", Body::from("hunter22")),
        (JSON, Body::Stored(stored)),
    ] {
        let entry = redacted(entry("/api/login/a", content_type, body));
        assert_eq!(text(&entry.invoke.body), "[redacted]");
        assert!(entry.redacted.contains(&"invoke.body".to_owned()));
    }
}

#[test]
fn a_call_of_no_operation_keeps_its_body_and_loses_its_credentials() {
    let mut entry = entry("/api/other?our_key=k", JSON, Body::from(r#"{"password":"x"}"#));
    entry.invoke.headers.extend(pairs(&[("authorization", "Basic YTpi"), ("x-our-key", "k")]));
    let entry = redacted(entry);
    assert_eq!(text(&entry.invoke.body), r#"{"password":"x"}"#);
    let expected = ["invoke.headers.authorization", "invoke.headers.x-our-key", "invoke.query/our_key"];
    assert_eq!(entry.redacted, expected);
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

#[test]
fn a_url_loses_what_is_secret_by_its_name() {
    let sent = |url: &str| {
        let entry = redacted(sending(entry("/api/login/a", JSON, Body::EMPTY), url, &[]));
        let HostCall::Http(exchange) = &entry.drawn.calls[0] else { panic!() };
        exchange.url.clone()
    };
    assert_eq!(sent("http://a.test/x?Token=1&b=2&key="), "http://a.test/x?Token=%5Bredacted%5D&b=2&key=");
    assert_eq!(sent("https://me:pass@a.test"), "https://%5Bredacted%5D@a.test");
    assert_eq!(sent("https://a.test/@x?b"), "https://a.test/@x?b");
}

proptest! {
    #[test]
    fn a_canary_is_nowhere_whoever_repeats_it(
        canary in "[a-zA-Z0-9]{16,40}",
        places in proptest::collection::vec(any::<bool>(), 14),
        echoes in proptest::collection::vec(any::<bool>(), 6),
        is_form in any::<bool>(),
    ) {
        let at = |place: usize| if places[place] { canary.as_str() } else { "open" };
        let path = format!("/api/login/{}?a=1&pin={}&our_key={}", at(0), at(1), at(2));
        let body = if is_form {
            format!("name=ada&password={}", at(3))
        } else {
            format!(r#"{{"name" : "ada", "password":{{"x":"{}"}},"cards":[{{"pin": "{}"}}]}}"#, at(4), at(5))
        };
        let mut entry = entry(&path, if is_form { FORM } else { JSON }, Body::from(body));
        let bearer = format!("Bearer {}", at(6));
        let cookie = format!("theme=dark; session={}", at(7));
        entry.invoke.headers.extend(pairs(&[("Authorization", &bearer), ("Cookie", &cookie),
            ("x-api-key", at(8)), ("X-Our-Key", at(9)), ("x-pin", at(10))]));
        entry.answer.headers.extend(pairs(&[("set-cookie", &cookie), ("x-token", at(11))]));
        let url = format!("https://a.test/?signature={}&x=1", at(12));
        entry = sending(entry, &url, &[("proxy-authorization", at(13))]);
        let is_there = places.iter().enumerate()
            .any(|(at, is_there)| *is_there && (at != 3 || is_form) && (!matches!(at, 4 | 5) || !is_form));
        if is_there {
            // Whoever was given it may repeat it.
            let echo = |number: usize| if echoes[number] { canary.as_str() } else { "-" };
            entry.answer.body = Body::from(format!("[\"you said {}\"]", echo(0)));
            entry.answer.headers.push(("x-echo".into(), echo(1).into()));
            entry.activation.error = Some(format!("failed on {}", echo(2)));
            entry.activation.logs[0].text = format!("got {0} and {0}", echo(3));
            entry.invoke.headers.push(("x-again".into(), echo(4).into()));
            let HostCall::Http(exchange) = &mut entry.drawn.calls[0] else { panic!() };
            exchange.body = Body::from(format!("\u{0}{}", echo(5)).into_bytes());
        }
        let line = encode_line(&redacted(entry.clone())).unwrap();
        prop_assert!(!String::from_utf8_lossy(&line).contains(&canary));
        prop_assert!(String::from_utf8_lossy(&line).contains("ada"));
        prop_assert!(String::from_utf8_lossy(&line).contains("\"a=1&pin="));
    }

    #[test]
    fn what_has_no_secret_stays_to_the_byte(body in proptest::collection::vec(any::<u8>(), 0..200), name in "[a-z]{1,8}") {
        let json = json!({"name": String::from_utf8_lossy(&body), "other": [name, 1.50]}).to_string();
        for body in [Body::from(json), Body::EMPTY] {
            let before = entry("/api/login/open?a=%20&pin", JSON, body);
            let mut expected = before.clone();
            expected.invoke.path = "/api/login/%5Bredacted%5D".into();
            expected.activation.path.clone_from(&expected.invoke.path);
            expected.redacted = vec!["invoke.path".into()];
            prop_assert_eq!(redacted(before), expected);
        }
        let mut before = entry("/api/login/open", JSON, Body::EMPTY);
        (before.answer.status, before.answer.body) = (500, Body::from(body));
        prop_assert_eq!(redacted(before.clone()).answer, before.answer);
    }
}
