//! Lines of a file of captured calls are what the published schema says.
#![allow(missing_docs, clippy::unwrap_used, reason = "it is a test")]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wire::capture::{CaptureEntry, CaptureHeader};
use wire::{decode_line, encode_line};

const ACTIVATION: &str = "0198f7a2-0000-7000-8000-000000000001";

fn header() -> Value {
    let capture = json!({
        "id": "0".repeat(32), "namespace": "default", "route": "0".repeat(16), "sample": 2.5,
        "filters": ["status>=500"], "from": 1, "until": 2, "bytes_max": 3, "delete_at": 4, "secrets": true, "by": "me",
    });
    json!({
        "v": 1, "kind": "funcatron-capture", "at": 5, "capture": capture, "host": "*", "base_path": "/a",
        "entries": 6, "missed": 7,
    })
}

fn entry(body: &Value) -> Value {
    let answer = json!({
        "v": 1, "id": "r", "activation": ACTIVATION, "attempt": 1, "status": 200, "headers": [["x", "1"], ["x", "2"]],
        "body": body,
    });
    let invoke = json!({
        "v": 1, "id": "r", "activation": ACTIVATION, "namespace": "default", "at": 1, "deadline": 2, "attempt": 1,
        "retry": 0, "reply_to": "reply.frontend-1", "method": "POST", "scheme": "http", "host": "h", "path": "/a",
        "query": "token=%5Bredacted%5D", "headers": [["authorization", "[redacted]"]], "body": body,
    });
    let line = json!({"at": 1, "stream": "stdout", "level": "warn", "text": "hello"});
    let activation = json!({
        "v": 1, "id": ACTIVATION, "request_id": "r", "namespace": "default", "route": "0".repeat(16),
        "bundle": "0".repeat(64), "operation": "getA", "attempt": 1, "member": "runner-1", "method": "POST",
        "path": "/a", "status": 200, "at": 1, "queued_ms": 1, "service_us": 2, "cpu_us": 3, "logs": [line],
    });
    let exchange = json!({
        "at_us": 1, "took_us": 2, "method": "GET", "url": "http://b/", "headers": [["a", "b"]],
        "outcome": {"response": {"status": 200, "headers": [], "body": {"text": "b"}}},
    });
    let calls = json!([
        {"wall-clock": {"at_us": 1, "ns": 2}}, {"monotonic-clock": {"at_us": 1, "ns": 2}},
        {"random": {"at_us": 1, "bytes": 8}}, {"http": exchange},
    ]);
    json!({
        "v": 1, "invoke": invoke, "answer": answer, "activation": activation,
        "drawn": {"seed": "0".repeat(64), "calls": calls, "truncated": true},
        "redacted": ["invoke.headers.authorization", "invoke.query.token"],
    })
}

/// The published schema with what it refers to, and closed: what it does not describe fails.
fn validator() -> jsonschema::Validator {
    let read = |name: &str| {
        let path = format!("{}/../docs/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        serde_json::from_str::<Value>(&text.replace("urn:funcatron:messages:1#", "#")).unwrap()
    };
    let (mut schema, mut messages) = (read("capture"), read("messages"));
    let definitions = schema["$defs"].as_object_mut().unwrap();
    definitions.append(messages["$defs"].as_object_mut().unwrap());
    for definition in definitions.values_mut().filter(|definition| definition["properties"].is_object()) {
        definition["additionalProperties"] = json!(false);
    }
    jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&schema).unwrap()
}

#[track_caller]
fn holds<T: Serialize + DeserializeOwned>(validator: &jsonschema::Validator, line: &Value) {
    let read: T = decode_line(line.to_string().as_bytes()).unwrap();
    let written: Value = serde_json::from_slice(&encode_line(&read).unwrap()).unwrap();
    let faults: Vec<_> = validator.iter_errors(&written).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?} in {written}");
    let again: Value =
        serde_json::to_value(decode_line::<T>(written.to_string().as_bytes()).unwrap()).unwrap();
    assert_eq!(again, written);
}

#[test]
fn every_line_of_a_file_is_what_the_schema_says() {
    let validator = validator();
    holds::<CaptureHeader>(&validator, &header());
    for body in [json!({"json": {"a": 1}}), json!({"text": "a\nb"}), json!({"base64": "/wA="})] {
        holds::<CaptureEntry>(&validator, &entry(&body));
    }
}

#[test]
fn what_is_no_captured_call_is_refused_by_the_schema_and_the_decoder() {
    let validator = validator();
    for member in ["v", "invoke", "answer", "activation", "drawn"] {
        let mut bad = entry(&json!({"text": "a"}));
        bad.as_object_mut().unwrap().remove(member);
        assert!(!validator.is_valid(&bad), "schema without {member}");
        assert!(decode_line::<CaptureEntry>(bad.to_string().as_bytes()).is_err(), "decoder without {member}");
    }
    let mut bad = header();
    bad["kind"] = json!("other");
    assert!(!validator.is_valid(&bad) && decode_line::<CaptureHeader>(bad.to_string().as_bytes()).is_err());
}
