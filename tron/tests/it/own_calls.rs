//! Calls that an operator makes through Tron.

use std::sync::Arc;

use serde_json::json;
use wire::admin::CallRequest;
use wire::broker::{Embedded, Message};
use wire::{
    ActivationId, Answer, Body, Broker, Invoke, Namespace, ProblemKind, Replay, RouteId, Timestamp, Version,
};

use crate::harness::{Reply, Runner, Stage, TOKEN, in_time};

/// Longer than a message carries.
const LONG: usize = Body::INLINE_BYTES_MAX + 1;

/// Takes the next call of the bundle as its runner would.
async fn take_one(broker: &Arc<Embedded>, route: &str, sha: &str) -> Invoke {
    let queue = format!("func.{route}.{}", &sha[..8]);
    let mut consumer = broker.consume(&queue, 1).await.unwrap();
    let delivery = in_time(consumer.next()).await.unwrap();
    let invoke = wire::decode_line(&delivery.message.payload).unwrap();
    delivery.ack();
    invoke
}

async fn answer(broker: &Arc<Embedded>, invoke: &Invoke, body: Body) {
    let answer = Answer {
        v: Version,
        id: invoke.id.clone(),
        activation: invoke.activation,
        attempt: invoke.attempt,
        bundle: None,
        status: 200,
        headers: Vec::new(),
        body,
        part: 0,
        more: false,
    };
    let message = Message::new(wire::encode_line(&answer).unwrap());
    broker.publish(invoke.reply_to.as_ref().unwrap(), message).await.unwrap();
}

/// Answers the next call of the bundle.
pub(crate) async fn answer_one(broker: &Arc<Embedded>, route: &str, sha: &str) {
    let invoke = take_one(broker, route, sha).await;
    answer(broker, &invoke, "hello".into()).await;
}

fn get(path: &str) -> CallRequest {
    CallRequest {
        method: "get".into(),
        path: path.into(),
        query: "q=1".into(),
        headers: vec![("X-A".into(), "1".into())],
        body: Body::EMPTY,
        bundle: None,
        replay: None,
        redacted: Vec::new(),
        id: None,
        at: None,
        scheme: None,
        host: None,
        client: None,
    }
}

#[tokio::test]
async fn a_call_of_an_operator_goes_to_the_bundle_and_its_answer_to_nobody_else() {
    let stage = Stage::start().await;
    let _runner = Runner::start(&stage.broker, None).await;
    let (route, sha) = stage.deployed().await;
    let of = ActivationId::generate();
    let asked = CallRequest {
        bundle: Some(sha.clone()),
        replay: Some(Box::new(Replay { of, drawn: None, outside: false, expected: None })),
        at: Some(Timestamp(7)),
        body: vec![7; LONG].into(),
        ..get("/a/x")
    };
    let played = async {
        let invoke = take_one(&stage.broker, route.as_str(), sha.as_str()).await;
        let seen = (&*invoke.method, &*invoke.path, &*invoke.query, &*invoke.headers[0].0, invoke.at);
        assert_eq!(seen, ("GET", "/a/x", "q=1", "x-a", Timestamp(7)));
        assert_eq!((invoke.replay.as_ref().unwrap().of, &*invoke.host), (of, "localhost"));
        assert!(invoke.reply_to.as_ref().unwrap().starts_with("reply.tron-"));
        assert!(matches!(&invoke.body, Body::Stored(stored) if stored.len == LONG as u64));
        answer(&stage.broker, &invoke, invoke.body.clone()).await;
        invoke.activation
    };
    let mut place = stage.handle.place().unwrap();
    let (called, activation) = tokio::join!(stage.handle.call(&mut place, &route, asked), played);
    let called = called.unwrap();
    assert_eq!((called.activation, called.answer.body), (activation, Body::from(vec![7; LONG])));
}

#[tokio::test]
async fn a_call_that_is_run_again_is_compared_with_what_it_came_to() {
    let stage = Stage::start().await;
    let _runner = Runner::start(&stage.broker, None).await;
    let (route, sha) = stage.deployed().await;
    let compared = async |text: &str, redacted: &[&str], body: &'static str| {
        let expected = json!({"v": 1, "id": "r", "activation": ActivationId::generate(), "attempt": 1,
            "status": 200, "headers": [], "body": {"text": text}});
        let asked = CallRequest {
            bundle: Some(sha.clone()),
            redacted: redacted.iter().map(|place| (*place).to_owned()).collect(),
            replay: Some(Box::new(Replay {
                of: ActivationId::generate(),
                drawn: None,
                outside: false,
                expected: Some(serde_json::from_value(expected).unwrap()),
            })),
            ..get("/a/x")
        };
        let played = async {
            let invoke = take_one(&stage.broker, route.as_str(), sha.as_str()).await;
            assert_eq!(invoke.replay.as_ref().unwrap().expected, None, "a runner would not answer");
            answer(&stage.broker, &invoke, body.into()).await;
        };
        let mut place = stage.handle.place().unwrap();
        let (compared, ()) = tokio::join!(stage.handle.call_compared(&mut place, &route, asked), played);
        serde_json::to_value(compared.unwrap().differences).unwrap()
    };
    assert_eq!(compared("before", &[], "before").await, json!([]));
    let differences = compared("before", &[], "after").await;
    assert_eq!(differences[0]["place"], "body", "{differences}");
    assert_eq!(compared("[redacted]", &["answer.body"], "after").await, json!([]));
    assert_ne!(compared("[redacted]", &["invoke.body"], "after").await, json!([]));

    let mut asked = get("/a/x");
    let expected = json!({"of": ActivationId::generate(), "expected": {"v": 1, "id": "r", "attempt": 1,
        "activation": ActivationId::generate(), "status": 200, "headers": []}});
    asked.replay = Some(serde_json::from_value(expected).unwrap());
    let refused =
        stage.handle.call_compared(&mut stage.handle.place().unwrap(), &route, asked).await.unwrap_err();
    assert_eq!(refused.kind(), ProblemKind::InvalidRequest);

    // It was cut off: no bundle has to do with that.
    let cut_off = json!({"of": ActivationId::generate(), "drawn": {"seed": "0".repeat(64)},
        "expected": {"v": 1, "id": "r", "attempt": 1, "activation": ActivationId::generate(), "status": 502,
            "headers": []}});
    let mut asked = get("/a/x");
    (asked.bundle, asked.replay) = (Some(sha.clone()), Some(serde_json::from_value(cut_off).unwrap()));
    let refused =
        stage.handle.call_compared(&mut stage.handle.place().unwrap(), &route, asked).await.unwrap_err();
    assert_eq!(refused.kind(), ProblemKind::Conflict);
}

#[tokio::test]
async fn a_call_that_is_no_bundles_is_refused() {
    let stage = Stage::start().await;
    let _runner = Runner::start(&stage.broker, None).await;
    let (route, _) = stage.deployed().await;
    let other = wire::BundleSha::of(b"other");
    let nowhere = RouteId::of(&Namespace::default(), "*", "/nowhere");
    for (route, asked, kind) in [
        (&nowhere, get("/a/x"), ProblemKind::NotFound),
        (&route, get("/b"), ProblemKind::InvalidRequest),
        (&route, CallRequest { bundle: Some(other), ..get("/a/x") }, ProblemKind::NotFound),
    ] {
        assert_eq!(
            stage.handle.call(&mut stage.handle.place().unwrap(), route, asked).await.unwrap_err().kind(),
            kind
        );
    }
}

/// How many calls an operator could begin now.
fn room(stage: &Stage) -> usize {
    std::iter::from_fn(|| stage.handle.place().ok()).collect::<Vec<_>>().len()
}

#[tokio::test]
async fn a_call_has_its_place_from_before_it_is_read_until_its_answer_is_written() {
    let stage = Stage::start().await;
    let _runner = Runner::start(&stage.broker, None).await;
    let (route, sha) = stage.deployed().await;
    let path = format!("/routes/{route}/calls");
    let headers =
        [("authorization", format!("Bearer {TOKEN}")), ("content-type", "application/json".to_owned())];
    let send = |body: &[u8]| stage.send("POST", &path, &headers, body.to_vec().into());
    let asked = serde_json::to_vec(&get("/a/x")).unwrap();

    let all: Vec<_> = std::iter::from_fn(|| stage.handle.place().ok()).collect();
    assert_eq!(all.len(), 64);
    assert_eq!(send(b"what is never read").await.status(), 503);
    drop(all);
    assert_eq!(send(b"what is no call").await.status(), 400);

    // More than what lies between two sockets.
    let mut upload = stage.store.upload();
    upload.push(&vec![7; 12 << 20]).await.unwrap();
    let stored = Body::Stored(upload.finish().await.unwrap());
    let played = async {
        let invoke = take_one(&stage.broker, route.as_str(), sha.as_str()).await;
        answer(&stage.broker, &invoke, stored).await;
    };
    let (response, ()) = tokio::join!(send(&asked), played);
    assert_eq!((response.status(), room(&stage)), (hyper::StatusCode::OK, 63));
    assert!(Reply::read(response).await.body.len() > 12 << 20);
    in_time(async {
        while room(&stage) < 64 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
