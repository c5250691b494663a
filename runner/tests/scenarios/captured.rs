//! Captures: calls that are kept whole, as an operator asks a runner that runs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wire::broker::{Consumer, Embedded, Error, Topic, capture_queue};
use wire::capture::{Capture, CaptureEntry, Drawn};
use wire::{
    Answer, Body, Broker, CaptureId, Control, Invoke, Namespace, Observation, Percent, Replay, Timestamp,
    Version, decode_lines, encode_line,
};

use crate::harness::{Deployment, Harness, begin_over, config, invoke, start};
use crate::trouble::Troubled;

const DOCUMENT: &str = r#"
openapi: 3.0.3
info: { title: t, version: "1" }
paths:
  /{status}:
    post:
      operationId: answer
      parameters: [{ name: status, in: path, required: true, schema: { type: integer } }]
      requestBody:
        content:
          application/json:
            schema: { properties: { password: { type: string, format: password } } }
          application/octet-stream: {}
      responses: { default: { description: any, content: { application/json: {} } } }
"#;
const SOURCE: &str = "export function answer({ params, headers }) {
    console.log('at', Date.now(), Math.random());
    return Response.json({ seen: headers['authorization'] ?? null }, { status: params.status });
}";

async fn started() -> Harness {
    start(Deployment::javascript(DOCUMENT, SOURCE)).await
}

fn capture(harness: &Harness, filters: &[&str]) -> Capture {
    let later = Timestamp::now().after(Duration::from_secs(600));
    Capture {
        id: CaptureId::generate(),
        namespace: Namespace::default(),
        route: harness.func.route.clone(),
        sample: Percent::ALL,
        filters: filters.iter().map(|filter| filter.parse().unwrap()).collect(),
        from: Timestamp::now(),
        until: later,
        bytes_max: 1 << 30,
        delete_at: later,
        secrets: false,
        by: "me".into(),
    }
}

async fn tell(harness: &Harness, version: u64, captures: &[&Capture]) {
    let captures = captures.iter().map(|capture| (*capture).clone()).collect();
    let told = Control::Observation(Observation { v: Version, version, captures, levels: Vec::new() });
    harness.broker.broadcast(Topic::Control, encode_line(&told).unwrap()).await.unwrap();
}

/// The entries of a capture, as many as there must be.
async fn entries(consumer: &mut Consumer, count: usize) -> Vec<CaptureEntry> {
    let mut entries = Vec::new();
    while entries.len() < count {
        let delivery = tokio::time::timeout(Duration::from_secs(60), consumer.next()).await.unwrap().unwrap();
        entries.extend(decode_lines::<CaptureEntry>(&delivery.message.payload).unwrap());
        delivery.ack();
    }
    assert_eq!(entries.len(), count);
    entries
}

/// Starts a capture and waits until the runner has heard of it.
async fn begin(harness: &mut Harness, version: u64, capture: &Capture) -> Consumer {
    harness.broker.declare(&capture_queue(&capture.id)).await.unwrap();
    tell(harness, version, &[capture]).await;
    // What is told is heard in order, and this is answered.
    harness.assign(version + 100, vec![harness.func.clone()]).await;
    harness.heartbeat(version + 100).await;
    harness.broker.consume(&capture.queue(), 100).await.unwrap()
}

fn post(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Invoke {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Invoke { headers: headers.collect(), body: body.into(), ..invoke("POST", &format!("/api/{status}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_kept_as_it_crossed_the_broker() {
    let mut harness = started().await;
    harness.call(post(200, &[], "")).await;
    let capture = capture(&harness, &[]);
    let mut consumer = begin(&mut harness, 1, &capture).await;

    let binary = post(
        200,
        &[("content-type", "application/octet-stream"), ("x-a", "1"), ("x-a", "2")],
        vec![0xff, 0, 1],
    );
    let refused = Invoke { method: "PUT".into(), ..post(200, &[("content-type", "text/plain")], "plain\n") };
    let mut answers: Vec<Answer> = Vec::new();
    for call in [&binary, &refused] {
        answers.push(harness.call(call.clone()).await);
    }
    let [first, second] = entries(&mut consumer, 2).await.try_into().unwrap();
    assert_eq!((&first.invoke, &first.answer), (&binary, &answers[0]));
    assert_eq!((&second.invoke, &second.answer), (&refused, &answers[1]));
    assert_eq!((first.activation.status, second.activation.status), (200, 405));
    assert!(first.activation.logs[0].text.starts_with("at "));
    assert!(!first.drawn.calls.is_empty() && first.drawn.seed.len() == 64);
    assert_eq!(second.drawn, Drawn { seed: "0".repeat(64), ..Drawn::default() });
    assert!(first.redacted.is_empty());

    tell(&harness, 2, &[]).await;
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_asked_for_is_kept() {
    let mut harness = started().await;
    let errors = capture(&harness, &["status>=500"]);
    let mut consumer = begin(&mut harness, 1, &errors).await;
    let mut replayed = post(503, &[], "");
    let (drawn, outside, expected) = (None, false, None);
    replayed.replay = Some(Box::new(Replay { of: replayed.activation, drawn, outside, expected }));
    for call in [post(200, &[], ""), replayed, post(502, &[], ""), post(404, &[], "")] {
        harness.call(call).await;
    }
    let nothing = Capture { sample: Percent::NONE, ..capture(&harness, &[]) };
    let over = Capture { until: Timestamp::now(), ..capture(&harness, &[]) };
    tell(&harness, 2, &[&nothing, &over, &errors]).await;
    harness.call(post(500, &[], "")).await;
    let statuses: Vec<u16> =
        entries(&mut consumer, 2).await.iter().map(|entry| entry.answer.status).collect();
    assert_eq!(statuses, [502, 500]);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_never_reach_the_broker_unless_they_are_asked_for() {
    let mut harness = started().await;
    let (usual, whole) = (capture(&harness, &[]), Capture { secrets: true, ..capture(&harness, &[]) });
    let mut all = begin(&mut harness, 1, &whole).await;
    let mut consumer = begin(&mut harness, 2, &usual).await;
    tell(&harness, 3, &[&usual, &whole]).await;
    harness.assign(103, vec![harness.func.clone()]).await;
    harness.heartbeat(103).await;
    let headers = [("content-type", "application/json"), ("authorization", "Bearer canary-4711-0815")];
    let call = post(200, &headers, r#"{"password": "canary-2342", "a": 1.0}"#);
    harness.call(call.clone()).await;
    let [entry] = entries(&mut consumer, 1).await.try_into().unwrap();
    let text = String::from_utf8(encode_line(&entry).unwrap().to_vec()).unwrap();
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(entry.invoke.body, Body::from(r#"{"password": "[redacted]", "a": 1.0}"#));
    // What the Func repeats is secret as well.
    assert_eq!(entry.answer.body, Body::from(json!({"seen": "[redacted]"}).to_string()));
    assert_eq!(entry.redacted, ["invoke.headers.authorization", "invoke.body/password", "answer.body"]);
    assert_eq!(entries(&mut all, 1).await[0].invoke, call);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_is_missed_and_told() {
    let mut harness = started().await;
    let capture = capture(&harness, &[]);
    let consumer = begin(&mut harness, 1, &capture).await;
    drop(consumer);
    harness.broker.delete(&capture.queue()).await.unwrap();
    for _ in 0..3 {
        harness.call(post(200, &[], "")).await;
    }
    loop {
        let report = harness.heartbeat(101).await.runner.unwrap();
        if report.captures.get(&capture.id) == Some(&3) {
            break;
        }
        assert!(report.captures.values().all(|missed| *missed < 3));
    }
    harness.stop().await;
}

/// A runner that reaches its broker by way of one in trouble.
async fn troubled(reached: impl FnOnce(&Arc<dyn Broker>) -> Arc<Troubled>) -> (Harness, Arc<Troubled>) {
    let broker: Arc<dyn Broker> = Arc::new(Embedded::new());
    let reached = reached(&broker);
    let deployment = Deployment::javascript(DOCUMENT, SOURCE);
    let mut harness = begin_over(broker, reached.clone(), config(), deployment).await;
    harness.heartbeat(1).await;
    (harness, reached)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_holds_up_no_other_and_is_asked_once() {
    let full = ("capture.", Error::Full("capture".into()));
    let (mut harness, reached) = troubled(|broker| Troubled::over(broker, 0, [full])).await;
    let capture = capture(&harness, &[]);
    let mut consumer = begin(&mut harness, 1, &capture).await;
    harness.call(post(200, &[], "")).await;
    while harness.heartbeat(101).await.runner.unwrap().captures.get(&capture.id) != Some(&1) {
        assert!(reached.taken(&capture.queue()).is_empty(), "tried again");
    }
    harness.call(post(201, &[], "")).await;
    assert_eq!(entries(&mut consumer, 1).await[0].answer.status, 201);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_can_keep_no_calls_any_more_ends_and_says_so() {
    let (mut harness, _reached) = troubled(|broker| Troubled::fatal(broker, "capture.")).await;
    let capture = capture(&harness, &[]);
    let _consumer = begin(&mut harness, 1, &capture).await;
    harness.call(post(200, &[], "")).await;
    assert!(matches!(harness.ended().await, Err(runner::Error::Thread(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_of_a_promised_call_is_kept() {
    let fails = "responses:";
    let document =
        DOCUMENT.replace(fails, &format!("x-funcatron-retries: {{max: 1, backoff: 20ms}}\n      {fails}"));
    let mut harness = start(Deployment::javascript(&document, SOURCE)).await;
    harness.broker.declare(&wire::broker::requests_queue()).await.unwrap();
    let capture = capture(&harness, &["status>=500"]);
    let mut consumer = begin(&mut harness, 1, &capture).await;
    let call = Invoke { asynchronous: true, ..post(503, &[], "") };
    harness.send(std::slice::from_ref(&call)).await;
    let held_back = harness.next(wire::broker::REQUESTS).await;
    let again: Invoke = decode_lines(&held_back.payload).unwrap().remove(0);
    let [first] = entries(&mut consumer, 1).await.try_into().unwrap();
    assert_eq!((first.invoke, first.answer.status), (call, 503));
    harness.call(again.clone()).await;
    assert_eq!(entries(&mut consumer, 1).await[0].invoke, again);
    harness.stop().await;
}
