//! Calls that were cut off: which are begun again, where, and what is said of the others.

use std::time::Duration;

use serde_json::json;
use wire::broker::{GivenUp, Message, REQUESTS, RETRIES};
use wire::{Body, Invoke, Timestamp, decode_line, decode_lines, encode_line};

use crate::abyss::Abyss;
use crate::harness::{Deployment, invoke, json, start, text};

fn post() -> Invoke {
    let headers = vec![("content-type".into(), "application/json".into())];
    Invoke { headers, body: Body::from(r#"{"name":"ada"}"#), ..invoke("POST", "/api/") }
}

fn why(dead: &Message) -> GivenUp {
    assert!(dead.persistent);
    GivenUp::read(dead.dead_reason.as_ref().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_always_ends_its_runner_is_given_up_after_three_times_and_its_neighbours_are_answered() {
    let mut abyss = Abyss::open().await;
    let mut harness = abyss.runner().await;
    let poison = abyss.call();
    let neighbours: Vec<Invoke> = (0..5).map(|_| invoke("GET", "/api/polite")).collect();
    harness.send(&[std::slice::from_ref(&poison), &neighbours].concat()).await;
    for _ in 0..3 {
        abyss.swallow().await;
        harness.crash().await;
    }
    let mut answers = Vec::new();
    for _ in 0..6 {
        let answer = harness.answer().await;
        answers.push((answer.activation, answer.status, answer.attempt));
    }
    let position = answers.iter().position(|(activation, ..)| *activation == poison.activation).unwrap();
    assert_eq!(answers.remove(position), (poison.activation, 502, 3));
    // Those that end before the crash beside them need no third time.
    assert!(
        answers.iter().all(|(_, status, attempt)| *status == 200 && [2, 3].contains(attempt)),
        "{answers:?}"
    );
    let mut answered: Vec<_> = answers.iter().map(|(activation, ..)| *activation).collect();
    let mut expected: Vec<_> = neighbours.iter().map(|call| call.activation).collect();
    answered.sort();
    expected.sort();
    assert_eq!(answered, expected);

    let dead = harness.next(&harness.dead_letters()).await;
    let kept: Invoke = decode_line(&dead.payload).unwrap();
    assert_eq!((kept.activation, kept.attempt), (poison.activation, 3));
    let why = why(&dead);
    assert_eq!(
        (why.attempts, why.last_error.as_deref()),
        (Some(3), Some("the runner that had it went away"))
    );
    assert!(why.reason.contains("each time it was begun") && why.at.is_some(), "{why:?}");
    assert_eq!(
        harness.broker.depth(&harness.dead_letters()).await.unwrap().ready,
        0,
        "innocents among the dead"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_cut_off_is_repeated_only_if_that_does_no_harm() {
    let mut keyed = post();
    keyed.headers.push(("idempotency-key".into(), "k".into()));
    for (call, begun_before, status, attempt) in [
        (invoke("GET", "/api/ada"), 1, 200, 2),
        (invoke("GET", "/api/ada"), 2, 200, 3),
        (invoke("GET", "/api/ada"), 3, 502, 3),
        (keyed, 1, 200, 2),
        (post(), 1, 502, 1),
    ] {
        let mut harness = start(Deployment::of("funcs/hello-js")).await;
        let call = Invoke { attempt: begun_before, ..call };
        harness.cut_off(std::slice::from_ref(&call)).await;
        let answer = harness.answer().await;
        assert_eq!((answer.status, answer.attempt), (status, attempt), "{} {begun_before}", call.method);
        if status == 502 {
            let (kind, told) = (json(&answer)["type"].clone(), text(&answer));
            assert_eq!(kind, json!("urn:funcatron:problem:outcome-unknown"));
            assert!(told.contains("may have had its effects"), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promised_call_that_is_not_repeated_is_answered_and_kept() {
    let mut harness = start(Deployment::of("funcs/hello-js")).await;
    let call = Invoke { asynchronous: true, ..post() };
    harness.cut_off(std::slice::from_ref(&call)).await;
    let answer = harness.answer_message().await;
    assert!(answer.persistent && !answer.joinable && answer.expires_at.is_none());
    assert_eq!(decode_lines::<wire::Answer>(&answer.payload).unwrap()[0].status, 502);
    let dead = harness.next(&harness.dead_letters()).await;
    assert_eq!(decode_line::<Invoke>(&dead.payload).unwrap(), call);
    assert_eq!(why(&dead).attempts, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_nobody_can_read_is_given_up_alone() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    let calls = [(); 2].map(|()| invoke("GET", "/api/"));
    let [first, last] = calls.each_ref().map(|call| encode_line(call).unwrap());
    harness.send_raw([&first[..], b"{\"v\":2}\n", &last].concat()).await;
    for _ in calls {
        assert_eq!(harness.answer().await.status, 200);
    }
    let dead = harness.next(&harness.dead_letters()).await;
    assert_eq!(dead.payload, "{\"v\":2}");
    assert_eq!(why(&dead).reason, "message version 2 is not supported");
    let empty = wire::broker::Depth { unsettled: Some(0), consumers: 1, ..Default::default() };
    while harness.broker.depth(&harness.queue).await.unwrap() != empty {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_more_lines_than_any_has_is_given_up_whole() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    let crowd = b"1\n".repeat(100_000);
    harness.send_raw(crowd.clone()).await;
    let dead = harness.next(&harness.dead_letters()).await;
    assert_eq!(dead.payload, crowd);
    assert_eq!(why(&dead).reason, "message has over 2048 lines");
    assert_eq!(harness.get("/api/").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_a_func_that_is_not_served_goes_back_to_the_firehose() {
    let harness = start(Deployment::of("funcs/hello-rust")).await;
    let queue = Some("func.gone".to_owned());
    let call = Invoke { attempt: 3, queue, ..invoke("GET", "/api/") };
    while harness.broker.publish(RETRIES, Message::new(encode_line(&call).unwrap())).await.is_err() {
        tokio::task::yield_now().await;
    }
    let message = harness.next(REQUESTS).await;
    let sent: Invoke = decode_line(&message.payload).unwrap();
    assert_eq!(sent, Invoke { queue: None, ..call });
    assert!(!message.joinable && message.expires_at == Some(sent.deadline));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_others_is_told_at_its_deadline() {
    let mut abyss = Abyss::open().await;
    let mut harness = abyss.runner().await;
    let late = Invoke { deadline: Timestamp::now().after(Duration::from_millis(300)), ..abyss.call() };
    harness.send(&[abyss.call(), late.clone()]).await;
    abyss.swallow().await;
    let answer = harness.answer().await;
    assert_eq!((answer.activation, answer.status), (late.activation, 504));
    assert!(text(&answer).contains("waited in func."), "{}", text(&answer));
}
