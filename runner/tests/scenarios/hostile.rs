//! Calls of a Func that misbehaves: each ends with the right problem, and the runner serves on.

use std::time::Duration;

use wire::{Answer, FuncAssignment, Invoke, Stream, decode_lines};

use crate::harness::{Deployment, Harness, config, invoke, json, start_with, text};

async fn hostile() -> Harness {
    let mut config = config();
    config.cpu_max = Duration::from_millis(250);
    config.call_timeout = Duration::from_secs(4);
    config.memory_max = 32 << 20;
    start_with(config, Deployment::of("tests/funcs/hostile")).await
}

/// The problem that the call came to, and whether the runner still answers after it.
async fn problem(harness: &mut Harness, path: &str) -> (u16, String) {
    let answer: Answer = harness.get(path).await;
    let polite = harness.get("/api/polite").await;
    assert_eq!(polite.status, 200, "after {path}: {}", text(&polite));
    match answer.status {
        200 => (200, String::new()),
        status => (status, json(&answer)["detail"].as_str().unwrap_or_default().to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_misbehaviour_ends_in_its_own_problem() {
    let mut harness = hostile().await;
    for (path, status, detail) in [
        ("/api/spin", 504, "computed for more than 250ms"),
        ("/api/sleep?seconds=60", 504, "did not answer in 4s"),
        ("/api/allocate", 502, "ran out of memory"),
        ("/api/panic", 502, "trapped: unreachable"),
        ("/api/recurse", 502, "trapped"),
        ("/api/huge", 502, "the Func"),
        ("/api/huge?bytes=11000000", 502, "body is over"),
        ("/api/infinite", 502, "body is over"),
        ("/api/length?bytes=3", 502, "the Func"),
        ("/api/length?bytes=9", 502, "the Func"),
        ("/api/silent", 502, "set no response"),
        ("/api/headers?count=1000", 502, "the Func"),
        ("/api/truncated", 502, "trapped"),
    ] {
        let (got, text) = problem(&mut harness, path).await;
        assert_eq!(got, status, "{path}: {text}");
        assert!(text.contains(detail), "{path}: {text}");
    }
    for path in ["/api/status?code=99", "/api/status?code=100", "/api/status?code=999", "/api/forbidden"] {
        let (status, text) = problem(&mut harness, path).await;
        assert!(matches!(status, 200 | 500 | 502), "{path}: {status} {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_the_connection_do_not_leave_the_sandbox() {
    let mut harness = hostile().await;
    for name in ["connection", "transfer-encoding", "keep-alive", "upgrade", "host"] {
        let answer = harness.get(&format!("/api/forbidden?name={name}&value=x")).await;
        assert!(answer.headers.iter().all(|(header, _)| header != name), "{name}: {:?}", answer.headers);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_cut_at_the_limit() {
    for path in ["/api/print", "/api/line"] {
        let mut harness = hostile().await;
        assert_eq!(harness.get(path).await.status, 200);
        let logs = harness.activation().await.logs;
        assert!(logs.iter().map(|line| line.text.len()).sum::<usize>() < 70_000, "{path}");
        assert_eq!(logs.last().unwrap().stream, Stream::Platform, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spinning_guest_shares_its_thread() {
    let mut harness = hostile().await;
    let (spin, polite) = (invoke("GET", "/api/spin"), invoke("GET", "/api/polite"));
    harness.send(std::slice::from_ref(&spin)).await;
    harness.send(std::slice::from_ref(&polite)).await;
    assert_eq!(harness.answer().await.activation, polite.activation);
    assert_eq!(harness.answer().await.activation, spin.activation);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_does_not_wait_for_the_neighbours_of_its_call() {
    let mut harness = hostile().await;
    let polite = invoke("GET", "/api/polite");
    let spinning = (0..4).map(|_| invoke("GET", "/api/spin"));
    harness.send(&[polite.clone()].into_iter().chain(spinning).collect::<Vec<_>>()).await;
    // Theirs come at their timeout.
    let answers: Vec<Answer> = decode_lines(&harness.answer_message().await.payload).unwrap();
    assert_eq!(answers.iter().map(|answer| answer.activation).collect::<Vec<_>>(), [polite.activation]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_func_with_more_calls_than_slots_leaves_room_for_others() {
    let mut harness = hostile().await;
    let other = FuncAssignment { queue: "func.other".into(), ..harness.func.clone() };
    harness.assign(2, vec![harness.func.clone(), other]).await;
    harness.heartbeat(2).await;
    let sleeping: Vec<Invoke> = (0..50).map(|_| invoke("GET", "/api/sleep?seconds=60")).collect();
    harness.send(&sleeping).await;
    harness.queue = "func.other".into();
    // Ahead of all those that have to be ended at their timeout.
    assert_eq!(harness.get("/api/polite").await.status, 200);
}
