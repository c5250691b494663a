//! Copies of calls for bundles on trial.

use wire::broker::Queue;
use wire::{Answer, FuncStats, Invoke, Mirror, Percent, decode_lines};

use crate::harness::{Deployment, Harness, invoke, start};

const TRIED: &str = "func.tried";

/// A runner of a Func whose calls are copied.
async fn copying() -> Harness {
    let mut harness = start(Deployment::of("funcs/hello-js")).await;
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

async fn stats(harness: &mut Harness, says: impl Fn(&FuncStats) -> bool) -> FuncStats {
    loop {
        let funcs = harness.heartbeat(2).await.runner.unwrap().funcs;
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
    let stats = stats(&mut harness, |stats| stats.compared == 2).await;
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
