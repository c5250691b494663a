//! Messages as they lie on the wire: they survive the journey, look as they always did, and are what
//! the published schema says.
#![allow(missing_docs, clippy::unwrap_used, reason = "it is a test")]

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wire::capture::{Capture, Drawn, HostCall, HttpExchange, HttpOutcome};
use wire::{
    Activation, ActivationId, Answer, Assignment, Body, BodySha, BundleSha, CaptureId, Component, Control,
    FuncAssignment, FuncStats, Heartbeat, Histogram, Invoke, InvokeHead, Labels, Level, LogLine, MemberId,
    MessageError, Mirror, Namespace, Observation, PoolName, PoolReport, Problem, ProblemKind, Replay,
    RequestId, Role, Route, RouteId, RouteLevel, RunnerReport, StoredBody, Stream, Timestamp, Trial, Version,
    WeightedBundle, decode_line, encode_line,
};

const ACTIVATION: &str = "0198f7a2-0000-7000-8000-000000000001";

fn invoke() -> Invoke {
    Invoke {
        v: Version,
        id: RequestId::parse("r-1").unwrap(),
        activation: ACTIVATION.parse().unwrap(),
        namespace: Namespace::default(),
        at: Timestamp(1_700_000_000_000),
        deadline: Timestamp(1_700_000_030_000),
        attempt: 1,
        retry: 2,
        reply_to: Some("reply.frontend-1".into()),
        asynchronous: true,
        queue: Some("func.0.0".into()),
        bundle: Some(BundleSha::of(b"")),
        replay: None,
        method: "POST".into(),
        scheme: "https".into(),
        host: "shop.example".into(),
        path: "/orders/caf%C3%A9".into(),
        query: "dry=1".into(),
        headers: vec![("accept".into(), "*/*".into()), ("cookie".into(), "a=\"1\"".into())],
        client: Some("192.0.2.1".into()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        sent_us: Some(1_700_000_000_000_001),
        body: Body::from(&b"{\"sku\": 1.0}"[..]),
    }
}

fn answer() -> Answer {
    Answer {
        v: Version,
        id: RequestId::parse("r-1").unwrap(),
        activation: ACTIVATION.parse().unwrap(),
        attempt: 2,
        bundle: Some(BundleSha::of(b"")),
        status: 201,
        headers: vec![("content-type".into(), "text/plain".into())],
        body: Body::from(&b"made\n"[..]),
        part: 1,
        more: true,
    }
}

fn placement() -> Labels {
    "gpu=true".parse().unwrap()
}

fn trial() -> Trial {
    let [mirror, failures_max, differences_max] = ["10%", "1%", "0"].map(|text| text.parse().unwrap());
    Trial { mirror, failures_max, differences_max, calls_min: 100, began: 7 }
}

fn observation() -> Observation {
    let route = RouteId::of(&Namespace::default(), "*", "/a");
    let capture = Capture {
        id: CaptureId::parse("0".repeat(32)).unwrap(),
        namespace: Namespace::default(),
        route: route.clone(),
        sample: "2.5%".parse().unwrap(),
        filters: vec!["status>=500".parse().unwrap()],
        from: Timestamp(1),
        until: Timestamp(2),
        bytes_max: 1 << 20,
        delete_at: Timestamp(3),
        secrets: true,
        by: "operator".into(),
    };
    let level = RouteLevel { route, level: Level::Debug, until: Timestamp(2), by: "operator".into() };
    Observation { v: Version, version: 7, captures: vec![capture], levels: vec![level] }
}

fn replay() -> Replay {
    let (body, cut) = (Body::EMPTY, Some("HTTP-protocol-error".into()));
    let exchange = HttpExchange {
        at_us: 4,
        took_us: 5,
        method: "POST".into(),
        url: "https://api.example/pay".into(),
        headers: vec![("accept".into(), "*/*".into())],
        body: Body::from(Bytes::from_static(b"{}")),
        outcome: HttpOutcome::Response { status: 200, headers: Vec::new(), body, cut },
    };
    let failed = HttpExchange { outcome: HttpOutcome::Failed("dns-error".into()), ..exchange.clone() };
    let calls = vec![
        HostCall::WallClock { at_us: 1, ns: 2 },
        HostCall::MonotonicClock { at_us: 2, ns: 3 },
        HostCall::Random { at_us: 3, bytes: 16 },
        HostCall::Http(Box::new(exchange)),
        HostCall::Http(Box::new(failed)),
    ];
    Replay {
        of: ACTIVATION.parse().unwrap(),
        drawn: Some(Drawn { seed: "00".repeat(32), calls, truncated: true }),
        outside: true,
        expected: Some(Box::new(answer())),
    }
}

fn route() -> Route {
    Route {
        id: RouteId::of(&Namespace::default(), "*", "/a"),
        namespace: Namespace::default(),
        host: "*".into(),
        base_path: "/a".into(),
        bundles: vec![WeightedBundle {
            sha: BundleSha::of(b""),
            weight: 100,
            placement: placement(),
            trial: Some(trial()),
        }],
        props: json!({"z": 1, "a": [true, null]}).as_object().unwrap().clone(),
        outbound: vec!["api.example:443".into()],
    }
}

fn controls() -> [Control; 4] {
    let route = route();
    let func = FuncAssignment {
        queue: route.queue(&BundleSha::of(b"")),
        route: route.id.clone(),
        namespace: route.namespace.clone(),
        base_path: route.base_path.clone(),
        sha: BundleSha::of(b""),
        props: route.props.clone(),
        outbound: route.outbound.clone(),
        placement: placement(),
        on: Some(vec![MemberId::parse("runner-1").unwrap()]),
        draining: true,
        mirrors: vec![Mirror { queue: "func.a.c".into(), share: "10%".parse().unwrap() }],
    };
    [
        Control::Routes {
            v: Version,
            version: 3,
            routes: vec![route],
            unserved: BTreeMap::from([("func.a.b".to_owned(), "no runner has gpu=true".to_owned())]),
        },
        Control::Assignment(Assignment { v: Version, version: 4, funcs: vec![func] }),
        Control::Observation(observation()),
        Control::Cancel { v: Version, activations: vec![ACTIVATION.parse().unwrap()] },
    ]
}

fn heartbeat() -> Heartbeat {
    Heartbeat {
        v: Version,
        member: MemberId::generate(Role::Runner),
        role: Role::Runner,
        at: Timestamp(1),
        version: 4,
        failed: BTreeMap::from([("func.a.b".to_owned(), "no such export".to_owned())]),
        leaving: true,
        runner: Some(runner_report()),
        pools: vec![pool_report()],
    }
}

fn runner_report() -> RunnerReport {
    let histogram = Histogram::from(vec![(3, 2), (105, 1)]);
    let stats = FuncStats {
        arrivals: 4,
        deliveries: 2,
        failures: 1,
        compared: 3,
        different: 1,
        in_flight: 1,
        waiting: 1,
        queue_us: histogram.clone(),
        service_us: histogram,
        busy_us: 120,
        cpu_us: 80,
    };
    RunnerReport {
        pool: Some(PoolName::parse("default").unwrap()),
        instance: Some("funcatron-prod-default-1".into()),
        labels: "gpu=true".parse().unwrap(),
        threads: 2,
        slots: 64,
        cpu_us: 90,
        funcs_max: Some(1000),
        funcs: BTreeMap::from([("func.a.b".to_owned(), stats)]),
        captures: BTreeMap::from([(CaptureId::parse("0".repeat(32)).unwrap(), 5)]),
    }
}

fn pool_report() -> PoolReport {
    PoolReport {
        name: PoolName::parse("default").unwrap(),
        labels: "gpu=true".parse().unwrap(),
        substrate: "docker".into(),
        runners_min: 1,
        runners_max: 10,
        wanted: 3,
        running: Some(2),
        ready: 1,
        why: "3 runners: backlog 420, 12 ms each, target 0.7".into(),
        alarm: Some("docker does not answer".into()),
        cost_per_hour: 0.04,
    }
}

fn activation() -> Activation {
    Activation {
        v: Version,
        id: ACTIVATION.parse().unwrap(),
        request_id: RequestId::parse("r-1").unwrap(),
        namespace: Namespace::default(),
        route: route().id,
        bundle: BundleSha::of(b""),
        operation: Some("makeOrder".into()),
        attempt: 1,
        member: MemberId::parse("runner-1").unwrap(),
        method: "POST".into(),
        path: "/orders".into(),
        status: 502,
        at: Timestamp(1),
        queued_ms: 2,
        service_us: 3,
        cpu_us: 1,
        error: Some("trap".into()),
        replay_of: Some(ACTIVATION.parse().unwrap()),
        difference: Some("status: 200, was 201".into()),
        logs: vec![LogLine {
            at: Timestamp(2),
            at_us: Some(1_234),
            stream: Stream::Stderr,
            level: Level::Error,
            text: "oh\u{1b}[0m".into(),
        }],
    }
}

/// The published schema, held to one of its definitions, and closed: what it does not describe fails.
fn validator(definition: &str) -> jsonschema::Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/messages.schema.json");
    let mut schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let definitions = schema["$defs"].as_object_mut().unwrap();
    for definition in definitions.values_mut().filter(|definition| definition["properties"].is_object()) {
        definition["additionalProperties"] = json!(false);
    }
    schema["anyOf"] = json!([{"$ref": format!("#/$defs/{definition}")}]);
    jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&schema).unwrap()
}

#[track_caller]
fn holds_and_survives<T>(validator: &jsonschema::Validator, message: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let line = encode_line(message).unwrap();
    let json: Value = serde_json::from_slice(&line).unwrap();
    let faults: Vec<_> = validator.iter_errors(&json).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?} in {json}");
    assert_eq!(&decode_line::<T>(&line).unwrap(), message);
}

#[test]
fn messages_are_what_the_schema_says() {
    holds_and_survives(&validator("Invoke"), &invoke());
    let replayed = Invoke { replay: Some(Box::new(replay())), ..invoke() };
    holds_and_survives(&validator("Invoke"), &replayed);
    holds_and_survives(&validator("Answer"), &answer());
    holds_and_survives(&validator("Heartbeat"), &heartbeat());
    holds_and_survives(&validator("Activation"), &activation());
    let control = validator("Control");
    controls().iter().for_each(|message| holds_and_survives(&control, message));
}

#[test]
fn every_form_of_a_body_is_what_the_schema_says() {
    let validator = validator("Invoke");
    let (object, sha256) = (BodySha::of(b"index"), BodySha::of(b"whole"));
    let stored = Body::Stored(StoredBody { object, sha256, len: 1 });
    for body in [&b""[..], b"null", b"{}", b"text", b"\xff", b"\xff\xff\xff"]
        .map(Body::from)
        .into_iter()
        .chain([stored])
    {
        holds_and_survives(&validator, &Invoke { body, ..invoke() });
    }
}

#[test]
fn the_schema_refuses_what_the_decoder_refuses() {
    let validator = validator("Invoke");
    let good = serde_json::to_value(invoke()).unwrap();
    for (member, value) in [
        ("v", json!(2)),
        ("id", json!("a b")),
        ("activation", json!("1")),
        ("namespace", json!("A")),
        ("bundle", json!("abc")),
        ("attempt", json!(-1)),
        ("headers", json!([["one"]])),
        ("body", json!({"text": "a", "json": 1})),
        ("body", json!({"base64": "?"})),
        ("body", json!({})),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(!validator.is_valid(&bad), "schema: {bad}");
        assert!(decode_line::<Invoke>(bad.to_string().as_bytes()).is_err(), "decoder: {bad}");
    }
    for member in ["v", "id", "activation", "namespace", "deadline", "method", "host", "path", "headers"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(member);
        assert!(!validator.is_valid(&bad), "schema without {member}");
        assert!(decode_line::<Invoke>(bad.to_string().as_bytes()).is_err(), "decoder without {member}");
    }
}

#[test]
fn an_invoke_looks_as_it_always_did() {
    assert_eq!(
        encode_line(&invoke()).unwrap(),
        concat!(
            r#"{"v":1,"id":"r-1","activation":"0198f7a2-0000-7000-8000-000000000001","namespace":"default","#,
            r#""at":1700000000000,"deadline":1700000030000,"attempt":1,"retry":2,"reply_to":"reply.frontend-1","#,
            r#""async":true,"queue":"func.0.0","#,
            r#""bundle":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","#,
            r#""method":"POST","scheme":"https","host":"shop.example","path":"/orders/caf%C3%A9","#,
            r#""query":"dry=1","headers":[["accept","*/*"],["cookie","a=\"1\""]],"client":"192.0.2.1","#,
            r#""traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","sent_us":1700000000000001,"#,
            "\"body\":{\"json\":{\"sku\": 1.0}}}\n",
        )
    );
}

#[test]
fn an_answer_looks_as_it_always_did() {
    assert_eq!(
        encode_line(&answer()).unwrap(),
        concat!(
            r#"{"v":1,"id":"r-1","activation":"0198f7a2-0000-7000-8000-000000000001","attempt":2,"#,
            r#""bundle":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","#,
            r#""status":201,"headers":[["content-type","text/plain"]],"body":{"text":"made\n"},"#,
            r#""part":1,"more":true}"#,
            "\n",
        )
    );
}

#[test]
fn a_problem_travels_as_an_answer() {
    let problem =
        Problem::new(ProblemKind::NotFound, "no route", RequestId::parse("r-1").unwrap(), Component::Tron);
    let answer = Answer::problem(ActivationId::generate(), 1, problem);
    assert_eq!((answer.status, answer.id.as_str()), (404, "r-1"));
    holds_and_survives(&validator("Answer"), &answer);
}

#[test]
fn the_head_of_an_invoke_is_read_whatever_its_body_is() {
    let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
    let line = encode_line(&Invoke { body: Body::from(deep), ..invoke() }).unwrap();
    let head: InvokeHead<'_> = decode_line(&line).unwrap();
    assert_eq!((head.host.as_ref(), head.path.as_ref()), ("shop.example", "/orders/caf%C3%A9"));
    assert_eq!(head.reply_to.as_deref(), Some("reply.frontend-1"));
    decode_line::<Invoke>(&line).unwrap();
}

#[test]
fn members_from_a_later_build_are_ignored() {
    let mut later = serde_json::to_value(answer()).unwrap();
    later["priority"] = json!("high");
    assert_eq!(decode_line::<Answer>(later.to_string().as_bytes()).unwrap(), answer());
}

#[test]
fn another_version_is_named() {
    let mut other = serde_json::to_value(invoke()).unwrap();
    other["v"] = json!(2);
    let error = decode_line::<InvokeHead<'_>>(other.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, MessageError::Version(2)), "{error}");
}
