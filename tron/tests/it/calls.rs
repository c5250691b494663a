//! Calls whose callers do not wait: their results, callbacks and cancels, over the store and the broker.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use wire::broker::{CALLBACKS, Heard, Message, RESULTS, Topic};
use wire::calls::{Accepted, Callback, Finished, State};
use wire::egress::AllowList;
use wire::{
    ActivationId, Answer, Body, Broker, BundleSha, Component, Control, Namespace, Problem, ProblemKind,
    RequestId, Store, Timestamp, Version,
};

use crate::harness::{Stage, in_time, invoke};

/// Makes a call known that wants its result posted there.
async fn accept(store: &Store, callback: Option<&str>) -> ActivationId {
    let activation = ActivationId::unguessable();
    let deadline = Timestamp::now().after(Duration::from_secs(60));
    let accepted = Accepted {
        activation,
        request_id: RequestId::generate(),
        namespace: Namespace::default(),
        at: Timestamp::now(),
        deadline,
        expires_at: deadline.after(Duration::from_secs(60)),
        callback: callback.map(str::to_owned),
    };
    store.accept_call(&accepted).await.unwrap();
    activation
}

fn answer(activation: ActivationId, status: u16) -> Answer {
    Answer {
        v: Version,
        id: RequestId::generate(),
        activation,
        attempt: 1,
        bundle: Some(BundleSha::of(b"")),
        status,
        headers: vec![("content-type".into(), "text/x-own".into())],
        body: Body::Inline("own".into()),
        part: 0,
        more: false,
    }
}

/// Sends a result as runners do, as soon as there is a queue for it.
async fn send(stage: &Stage, answer: &Answer) {
    let message = Message::new(wire::encode_line(answer).unwrap()).persistent();
    until(async || stage.broker.publish(RESULTS, message.clone()).await.is_ok()).await;
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    in_time(async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn finished(stage: &Stage, activation: ActivationId) -> Finished {
    until(async || stage.store.finished_call(activation).await.unwrap().is_some()).await;
    stage.store.finished_call(activation).await.unwrap().unwrap()
}

/// Waits until nothing of these queues is left to do.
async fn settled(stage: &Stage) {
    for queue in [RESULTS, CALLBACKS] {
        until(async || {
            let depth = stage.broker.depth(queue).await.unwrap();
            depth.ready == 0 && depth.unsettled == Some(0)
        })
        .await;
    }
}

async fn noted(stage: &Stage, activation: ActivationId) -> Callback {
    until(async || stage.store.callback(activation).await.unwrap().is_some()).await;
    stage.store.callback(activation).await.unwrap().unwrap()
}

#[tokio::test]
async fn results_are_in_the_store_before_they_are_settled() {
    let stage = Stage::start().await;
    let call = accept(&stage.store, None).await;
    stage.store.keep_pending(&invoke(call)).await.unwrap();
    send(&stage, &answer(call, 201)).await;
    let finished = finished(&stage, call).await;
    assert_eq!((finished.state(), finished.answer.status), (State::Done, 201));
    settled(&stage).await;
    assert_eq!(stage.store.pending_call(call).await.unwrap(), None);
}

#[tokio::test]
async fn what_nobody_can_ask_for_any_more_is_not_looked_for_either() {
    let stage = Stage::start().await;
    let call = ActivationId::unguessable();
    stage.store.keep_pending(&invoke(call)).await.unwrap();
    send(&stage, &answer(call, 200)).await;
    until(async || stage.store.pending_call(call).await.unwrap().is_none()).await;
    settled(&stage).await;
    assert_eq!(stage.store.finished_call(call).await.unwrap(), None);
}

#[tokio::test]
async fn a_result_that_cannot_be_kept_stays_until_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let stage = Stage::on(Store::directory(&path).unwrap()).await;
    let call = accept(&stage.store, None).await;
    // What is no directory cannot be listed or written.
    let (results, aside) = (path.join("calls/results"), path.join("calls/aside"));
    std::fs::write(&results, "").unwrap();
    send(&stage, &answer(call, 200)).await;
    until(async || stage.broker.depth(RESULTS).await.unwrap().unsettled == Some(1)).await;
    std::fs::rename(&results, &aside).unwrap();
    assert_eq!(finished(&stage, call).await.answer.status, 200);
    settled(&stage).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_for_an_operator() {
    let stage = Stage::start().await;
    let garbage = Message::new("garbage\n".into()).persistent();
    until(async || stage.broker.publish(RESULTS, garbage.clone()).await.is_ok()).await;
    until(async || stage.broker.depth("dead.results").await.unwrap().ready == 1).await;
}

#[tokio::test]
async fn results_are_posted_to_their_callbacks_until_they_are_taken() {
    let (mut posts, host) = sink([503, 204]).await;
    let dir = tempfile::tempdir().unwrap();
    let stage = on(dir.path(), &host).await;
    let call = accept(&stage.store, Some(&format!("http://{host}/done?token=1"))).await;
    send(&stage, &answer(call, 500)).await;
    for _ in 0..2 {
        let (head, body) = in_time(posts.recv()).await.unwrap();
        assert_eq!((head.method.as_str(), head.uri.to_string()), ("POST", "/done?token=1".to_owned()));
        let header = |name: &str| head.headers.get(name).unwrap().to_str().unwrap();
        assert_eq!((header("content-type"), header("content-length"), &*body), ("text/x-own", "3", "own"));
        assert_eq!(header("x-funcatron-call"), wire::calls::location(&call));
        assert_eq!((header("x-funcatron-status"), header("x-funcatron-response-status")), ("failed", "500"));
        assert_eq!(header("host"), host);
    }
    let callback = noted(&stage, call).await;
    assert_eq!((callback.attempts, callback.error), (2, None));
    settled(&stage).await;
}

#[tokio::test]
async fn a_callback_that_nobody_takes_is_given_up_and_says_why() {
    let (mut posts, host) = sink([404; 6]).await;
    let dir = tempfile::tempdir().unwrap();
    let stage = on(dir.path(), &host).await;
    let call = accept(&stage.store, Some(&format!("http://{host}/"))).await;
    let elsewhere = accept(&stage.store, Some("http://elsewhere.test/")).await;
    send(&stage, &answer(call, 200)).await;
    send(&stage, &answer(elsewhere, 200)).await;
    let callback = noted(&stage, call).await;
    assert_eq!((callback.attempts, callback.error.as_deref()), (6, Some("answered with status 404")));
    let callback = noted(&stage, elsewhere).await;
    assert_eq!(callback.error.as_deref(), Some("callbacks may not go to this address"));
    settled(&stage).await;
    assert_eq!(std::iter::from_fn(|| posts.try_recv().ok()).count(), 6);
}

/// A Tron that kept a result and died before it was settled left it to another, who posts it.
#[tokio::test]
async fn what_a_tron_left_half_done_is_done_by_the_next() {
    let (mut posts, host) = sink([200, 200]).await;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::directory(dir.path()).unwrap();
    let call = accept(&store, Some(&format!("http://{host}/"))).await;
    let first = Finished { at: Timestamp(1), answer: answer(call, 200) };
    assert!(store.finish_call(&first).await.unwrap());
    store.cancel_call(call).await.unwrap();
    let stage = on(dir.path(), &host).await;
    send(&stage, &first.answer).await;
    noted(&stage, call).await;
    // And again: it is posted once for all that, and what was kept first stands.
    send(&stage, &answer(call, 201)).await;
    settled(&stage).await;
    in_time(posts.recv()).await.unwrap();
    assert!(posts.try_recv().is_err());
    assert_eq!(store.finished_call(call).await.unwrap(), Some(first));
    assert!(!store.is_cancelling_call(call).await.unwrap());
}

#[tokio::test]
async fn runners_are_told_what_is_cancelled_until_it_has_ended() {
    let stage = Stage::start().await;
    let call = accept(&stage.store, None).await;
    stage.store.cancel_call(call).await.unwrap();
    for _ in 0..2 {
        let mut control = stage.broker.subscribe(Topic::Control).await.unwrap();
        let told = in_time(async {
            loop {
                let Some(Heard::Payload(payload)) = control.next().await else { continue };
                if let Control::Cancel { activations, .. } = wire::decode_line(&payload).unwrap() {
                    return activations;
                }
            }
        });
        assert_eq!(told.await, [call]);
    }
    let problem = Problem::new(ProblemKind::Cancelled, "", RequestId::generate(), Component::Runner);
    send(&stage, &Answer::problem(call, 1, problem)).await;
    assert_eq!(finished(&stage, call).await.state(), State::Cancelled);
    until(async || stage.store.cancelling_calls(9).await.unwrap().is_empty()).await;
}

#[tokio::test]
async fn calls_are_forgotten_when_their_time_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::directory(dir.path()).unwrap();
    let (old, young) = (accept(&store, None).await, accept(&store, None).await);
    let file = |call| dir.path().join(format!("calls/accepted/{call}.json"));
    let days = SystemTime::now() - Duration::from_secs(3 * 24 * 60 * 60);
    File::options().write(true).open(file(old)).unwrap().set_modified(days).unwrap();
    let _stage = Stage::on(store).await;
    until(async || !file(old).exists()).await;
    assert!(file(young).exists());
}

async fn on(dir: &Path, host: &str) -> Stage {
    let callbacks = AllowList::parse(&[host.to_owned()]).unwrap();
    Stage::with(Store::directory(dir).unwrap(), callbacks).await
}

type Post = (http::request::Parts, String);

/// A server that answers with these statuses, one after the other, and shows what was sent to it.
async fn sink<const N: usize>(statuses: [u16; N]) -> (mpsc::UnboundedReceiver<Post>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let (sender, posts) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for status in statuses {
            let (stream, _) = listener.accept().await.unwrap();
            let sender = sender.clone();
            let answer = service_fn(move |request: http::Request<Incoming>| {
                let sender = sender.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    sender.send((head, String::from_utf8(body.to_vec()).unwrap())).unwrap();
                    http::Response::builder().status(status).body(String::new())
                }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            // The client leaves when it has read the head of the answer.
            let _ = connection.serve_connection(TokioIo::new(stream), answer).await;
        }
    });
    (posts, host)
}
