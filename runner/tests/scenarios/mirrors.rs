//! Copies of calls for bundles on trial.

use std::time::Duration;

use wire::broker::Queue;
use wire::capture::{Drawn, HostCall, HttpExchange, HttpOutcome};
use wire::{
    ActivationId, Answer, Body, BodySha, FuncStats, Invoke, Mirror, Percent, Replay, StoredBody, Timestamp,
    decode_lines,
};

use crate::harness::{Deployment, Harness, invoke, start};

const TRIED: &str = "func.tried";

const DOCUMENT: &str = r#"{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {
    "/long": {"get": {"operationId": "long", "responses": {"200": {"description": "long"}},
        "parameters": [{"name": "len", "in": "query", "schema": {"type": "integer"}}]}},
    "/hang": {"get": {"operationId": "hang", "responses": {"200": {"description": "never"}}}},
    "/ask": {"get": {"operationId": "ask", "responses": {"200": {"description": "what it read"}}}},
    "/keep": {"post": {"operationId": "keep", "requestBody": {"content": {"text/plain": {"schema": {}}}},
        "responses": {"200": {"description": "kept"}}}}}}"#;
const SOURCE: &str = r#"
export const long = ({ query }) => "x".repeat(query.len);
export const hang = () => new Promise((done) => setTimeout(done, 60_000));
export const ask = async () => (await fetch("http://a.test/")).text();
export const keep = () => "kept";
"#;

/// A runner of a Func whose calls are copied.
async fn copying() -> Harness {
    copying_of(Deployment::of("funcs/hello-js")).await
}

async fn copying_of(deployment: Deployment) -> Harness {
    let mut harness = start(deployment).await;
    let queue = Queue {
        name: TRIED.into(),
        len_max: 100,
        bytes_max: 1 << 20,
        dead_letter: None,
        private: false,
        single_active: false,
    };
    harness.broker.declare(&queue).await.unwrap();
    harness.func.mirrors = vec![Mirror { queue: TRIED.into(), share: Percent::ALL }];
    harness.assign(2, vec![harness.func.clone()]).await;
    harness.heartbeat(2).await;
    harness
}

async fn copy_of(harness: &mut Harness, call: Invoke) -> (Answer, Invoke) {
    let answer = harness.call(call).await;
    let message = harness.next(TRIED).await;
    (answer, decode_lines(&message.payload).unwrap().remove(0))
}

async fn stats(harness: &mut Harness, version: u64, says: impl Fn(&FuncStats) -> bool) -> FuncStats {
    loop {
        let funcs = harness.heartbeat(version).await.runner.unwrap().funcs;
        if let Some(stats) = funcs.get(&harness.queue).filter(|stats| says(stats)) {
            return stats.clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_what_its_call_drew_and_came_to_and_nobody_waits_for_it() {
    let mut harness = copying().await;
    let call = invoke("GET", "/api/ada?lang=de");
    let (answer, copy) = copy_of(&mut harness, call.clone()).await;
    let replay = copy.replay.unwrap();
    assert_eq!((replay.of, replay.outside, copy.reply_to), (call.activation, false, None));
    assert_eq!((copy.id, copy.path, copy.query), (call.id, call.path, call.query));
    assert_ne!(copy.activation, call.activation);
    assert_eq!(*replay.expected.unwrap(), answer);
    assert!(!replay.drawn.unwrap().truncated);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_compared_and_is_no_call() {
    let mut harness = copying().await;
    let (_, copy) = copy_of(&mut harness, invoke("GET", "/api/ada")).await;
    let of = copy.replay.as_ref().unwrap().of;
    let mut other = copy.clone();
    other.replay.as_mut().unwrap().expected.as_mut().unwrap().status = 418;
    harness.activation().await;
    harness.send(&[copy]).await;
    let record = harness.activation().await;
    assert_eq!((record.replay_of, record.difference, record.status), (Some(of), None, 200));
    harness.send(&[other]).await;
    let record = harness.activation().await;
    assert!(record.difference.as_ref().unwrap().contains("418"), "{:?}", record.difference);
    let stats = stats(&mut harness, 2, |stats| stats.compared == 2).await;
    assert_eq!((stats.different, stats.failures, stats.service_us.count()), (1, 0, 1));
    // Copies are not copied.
    assert_eq!(harness.broker.depth(TRIED).await.unwrap().ready, 0);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_or_waits_for_want_of_whom_to_send_its_copy() {
    let mut harness = copying().await;
    harness.func.mirrors[0].queue = "func.gone".into();
    harness.assign(3, vec![harness.func.clone()]).await;
    harness.heartbeat(3).await;
    for _ in 0..200 {
        assert_eq!(harness.get("/api/ada").await.status, 200);
    }
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_long_for_a_message_is_not_copied() {
    let mut harness = copying_of(Deployment::javascript(DOCUMENT, SOURCE)).await;
    let answer = harness.call(invoke("GET", &format!("/api/long?len={}", Body::INLINE_BYTES_MAX + 1))).await;
    assert!(matches!(answer.body, Body::Stored(_)));
    let (_, copy) = copy_of(&mut harness, invoke("GET", "/api/long?len=3")).await;
    assert_eq!(copy.query, "len=3");
    assert_eq!(harness.broker.depth(TRIED).await.unwrap().ready, 0);
    harness.stop().await;
}

/// A copy of a call that drew this and was answered with a text.
fn copy(call: Invoke, drawn: Drawn) -> Invoke {
    let expected = Answer {
        v: wire::Version,
        id: call.id.clone(),
        activation: call.activation,
        attempt: 1,
        bundle: None,
        status: 200,
        headers: vec![("content-type".into(), "text/plain;charset=UTF-8".into())],
        body: Body::from("kept"),
        part: 0,
        more: false,
    };
    let replay = Replay {
        of: call.activation,
        drawn: Some(drawn),
        outside: false,
        expected: Some(Box::new(expected)),
    };
    Invoke { activation: ActivationId::generate(), reply_to: None, replay: Some(Box::new(replay)), ..call }
}

/// What was drawn by a Func that asked somebody and did not read the answer to its end.
fn unread() -> Drawn {
    let outcome = HttpOutcome::Response {
        status: 200,
        headers: Vec::new(),
        body: Body::EMPTY,
        cut: Some("HTTP-response-incomplete".into()),
    };
    let exchange = HttpExchange {
        at_us: 1,
        took_us: 1,
        method: "GET".into(),
        url: "http://a.test/".into(),
        headers: Vec::new(),
        body: Body::EMPTY,
        outcome,
    };
    Drawn { seed: "0".repeat(64), calls: vec![HostCall::Http(Box::new(exchange))], truncated: false }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_nothing_about_a_bundle_is_not_compared() {
    let mut harness = copying_of(Deployment::javascript(DOCUMENT, SOURCE)).await;
    let gone = StoredBody { object: BodySha::of(b"a"), sha256: BodySha::of(b"a"), len: 1 << 20 };
    let mut lost = invoke("POST", "/api/keep");
    (lost.headers, lost.body) = (vec![("content-type".into(), "text/plain".into())], Body::Stored(gone));
    let late = Invoke {
        deadline: Timestamp::now().after(Duration::from_secs(1)),
        ..copy(invoke("GET", "/api/hang"), Drawn::default())
    };
    for (copy, status) in
        [(copy(lost, Drawn::default()), 500), (late, 504), (copy(invoke("GET", "/api/ask"), unread()), 500)]
    {
        harness.send(&[copy]).await;
        let record = harness.activation().await;
        assert!(record.status >= status && record.difference.is_none(), "{record:?}");
    }
    harness.send(&[copy(invoke("GET", "/api/none"), Drawn::default())]).await;
    let record = harness.activation().await;
    assert!(record.difference.unwrap().contains("404"));
    let stats = stats(&mut harness, 2, |stats| stats.compared > 0).await;
    assert_eq!((stats.compared, stats.different), (1, 1));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_ends_its_runner_each_time_differs() {
    let mut harness = copying_of(Deployment::javascript(DOCUMENT, SOURCE)).await;
    let copy = Invoke { attempt: 3, ..copy(invoke("GET", "/api/hang"), Drawn::default()) };
    harness.cut_off(&[copy]).await;
    let record = harness.activation().await;
    assert_eq!(
        (record.status, record.difference.as_deref()),
        (502, Some("the copy was cut off each time it was begun"))
    );
    harness.assign(u64::MAX, vec![harness.func.clone()]).await;
    let stats = stats(&mut harness, u64::MAX, |stats| stats.compared > 0).await;
    assert_eq!((stats.compared, stats.different, stats.failures), (1, 1, 0));
    harness.stop().await;
}
