//! Calls that nobody waits for: when they are begun anew, and how they are cancelled.

use std::time::Duration;

use wire::broker::{GivenUp, REQUESTS, Topic};
use wire::{ActivationId, Control, Invoke, Timestamp, Version, decode_line, encode_line};

use crate::abyss::Abyss;
use crate::harness::{Deployment, Harness, invoke, json, start, text};

fn promised(invoke: Invoke) -> Invoke {
    Invoke { asynchronous: true, ..invoke }
}

/// A runner of a Func that fails on demand and is then to be called again, twice.
async fn failing() -> Harness {
    let mut deployment = Deployment::of("tests/funcs/hostile");
    let document = String::from_utf8(deployment.document).unwrap();
    let named = "operationId: status\n";
    let retries = format!("{named}      x-funcatron-retries: {{max: 2, backoff: 20ms}}\n");
    deployment.document = document.replace(named, &retries).into_bytes();
    start(deployment).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_fails_is_begun_anew_as_often_as_its_operation_wants_and_then_kept() {
    let mut harness = failing().await;
    harness.broker.declare(&wire::broker::requests_queue()).await.unwrap();
    let mut call = promised(invoke("GET", "/api/status?code=503"));
    for retry in [1, 2] {
        harness.send(std::slice::from_ref(&Invoke { attempt: 2, ..call.clone() })).await;
        let held_back = harness.next(REQUESTS).await;
        assert!(held_back.persistent && !held_back.joinable && held_back.expires_at.is_none());
        let again: Invoke = decode_line(&held_back.payload).unwrap();
        assert_eq!(again, Invoke { retry, attempt: 1, ..call });
        assert_eq!(harness.activation().await.status, 503);
        call = again;
    }
    let answer = harness.call(call.clone()).await;
    assert_eq!(answer.status, 503);
    let dead = harness.next(&harness.dead_letters()).await;
    assert_eq!(decode_line::<Invoke>(&dead.payload).unwrap(), call);
    let why = GivenUp::read(&dead.dead_reason.unwrap());
    assert_eq!((why.attempts, why.last_error.as_deref()), (Some(3), Some("status 503")));
    assert_eq!(why.reason, "the call failed each time it was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_promised_calls_that_failed_are_begun_anew() {
    let mut harness = failing().await;
    for (call, status) in [
        (invoke("GET", "/api/status?code=503"), 503),
        (promised(invoke("GET", "/api/status?code=404")), 404),
        (promised(invoke("GET", "/api/recurse")), 502),
    ] {
        assert_eq!(harness.call(call).await.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_call_is_stopped_where_it_runs_and_not_begun_elsewhere() {
    let mut abyss = Abyss::open().await;
    let mut harness = abyss.runner().await;
    let [running, waiting, waited_for] = [promised(abyss.call()), promised(abyss.call()), abyss.call()];
    harness.send(std::slice::from_ref(&running)).await;
    abyss.swallow().await;
    harness.send(std::slice::from_ref(&waiting)).await;
    cancel(&harness, &[waiting.activation, running.activation, waited_for.activation]).await;
    cancelled(&mut harness, running.activation).await;
    cancelled(&mut harness, waiting.activation).await;
    assert_eq!(harness.activation().await.status, 410);
    // The one place is free again; and who waits for an answer is not to be cancelled by anybody.
    harness.send(std::slice::from_ref(&waited_for)).await;
    abyss.swallow().await;
}

async fn cancel(harness: &Harness, calls: &[ActivationId]) {
    let cancel = Control::Cancel { v: Version, activations: calls.to_vec() };
    harness.broker.broadcast(Topic::Control, encode_line(&cancel).unwrap()).await.unwrap();
}

async fn cancelled(harness: &mut Harness, call: ActivationId) {
    let answer = harness.answer().await;
    assert_eq!(answer.activation, call);
    assert!(answer.is_cancelled(), "{}", text(&answer));
    assert_eq!(json(&answer)["type"], "urn:funcatron:problem:cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promised_call_whose_time_is_up_is_answered_and_kept() {
    let mut harness = start(Deployment::of("tests/funcs/hostile")).await;
    let deadline = Timestamp(Timestamp::now().0 - Duration::from_secs(1).as_millis() as u64);
    let late = promised(Invoke { deadline, ..invoke("GET", "/api/polite") });
    assert_eq!(harness.call(late.clone()).await.status, 504);
    let dead = harness.next(&harness.dead_letters()).await;
    assert_eq!(decode_line::<Invoke>(&dead.payload).unwrap(), late);
}
