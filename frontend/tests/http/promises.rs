//! Calls whose callers do not wait: what is promised, and what is told of them.

use std::time::Duration;

use frontend::Config;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use wire::broker::{Broker, REQUESTS, RESULTS, dead_queue};
use wire::calls::{Callback, Finished};
use wire::egress::AllowList;
use wire::store::Credentials;
use wire::{ActivationId, Component, Invoke, Problem, ProblemKind, Store, Timestamp, decode_lines};

use crate::harness::{Reply, Stage, answer};

const ASYNC: &str = "Prefer: respond-async, wait=5";

fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

/// Makes a call and takes it from the queue.
async fn promised(stage: &Stage) -> (String, Invoke) {
    let reply = stage.ask("GET /x", &[ASYNC]).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let mut requests = stage.broker.consume(REQUESTS, 1).await.unwrap();
    let delivery = requests.next().await.unwrap();
    assert!(delivery.message.persistent && !delivery.message.joinable);
    assert_eq!(delivery.message.expires_at, None, "it must not end in silence");
    let invoke = decode_lines::<Invoke>(&delivery.message.payload).unwrap().remove(0);
    delivery.ack();
    (reply.header("location").unwrap().to_owned(), invoke)
}

async fn finish(stage: &Stage, invoke: &Invoke, status: u16) {
    let bundle = Some(wire::BundleSha::of(b""));
    let answer = wire::Answer { bundle, ..answer(invoke, status, &[("x-own", "1")], "own") };
    assert!(stage.store.finish_call(&Finished { at: Timestamp::now(), answer }).await.unwrap());
}

#[tokio::test]
async fn a_caller_who_does_not_wait_is_told_where_to_ask() {
    let stage = Stage::alone(Config::default()).await;
    let reply = stage.ask("GET /x", &["Prefer: return=minimal", ASYNC, "X-Request-Id: mine"]).await;
    assert_eq!((reply.status, reply.header("preference-applied")), (202, Some("respond-async")));
    let told = json(&reply);
    assert_eq!((&told["status"], &told["request_id"]), (&Value::from("pending"), &Value::from("mine")));
    let location = reply.header("location").unwrap();
    assert_eq!(location, format!("/_funcatron/calls/{}", told["id"].as_str().unwrap()));
    let delivery = stage.broker.consume(REQUESTS, 1).await.unwrap().next().await.unwrap();
    let invoke = decode_lines::<Invoke>(&delivery.message.payload).unwrap().remove(0);
    assert_eq!((invoke.reply_to.as_deref(), invoke.asynchronous), (Some(RESULTS), true));
    assert_eq!(location, wire::calls::location(&invoke.activation));
    assert_eq!(invoke.deadline.since(invoke.at), wire::calls::TTL);
    let same = stage.get(location).await;
    assert_eq!((same.status, json(&same)), (200, told));
}

#[tokio::test]
async fn the_result_is_the_funcs_own_response() {
    let stage = Stage::alone(Config::default()).await;
    let (location, invoke) = promised(&stage).await;
    let result = format!("{location}/result");
    let early = stage.get(&result).await;
    assert_eq!((early.status, early.header("retry-after")), (409, Some("1")));
    finish(&stage, &invoke, 201).await;
    let told = json(&stage.get(&location).await);
    assert_eq!((&told["status"], &told["response_status"]), (&Value::from("done"), &Value::from(201)));
    assert_eq!(told["result"], *result);
    let reply = stage.get(&result).await;
    assert_eq!((reply.status, reply.header("x-own"), &*reply.body), (201, Some("1"), "own"));
    let late = stage.ask(&format!("DELETE {location}"), &[]).await;
    assert_eq!(late.status, 409, "{late:?}");
}

#[tokio::test]
async fn every_frontend_tells_of_every_call() {
    let (one, other) = (Stage::alone(Config::default()).await, Stage::alone(Config::default()).await);
    let (location, invoke) = promised(&one).await;
    assert_eq!(other.get(&location).await.status, 404);
    other
        .store
        .accept_call(&one.store.accepted_call(invoke.activation).await.unwrap().unwrap())
        .await
        .unwrap();
    assert_eq!(other.get(&location).await.status, 200);
    let namespace = wire::Namespace::parse("another").unwrap();
    let stranger = Stage::over(Config { namespace, ..Config::default() }, one.store.clone()).await;
    assert_eq!(stranger.get(&location).await.status, 404, "it belongs to another tenant");
}

#[tokio::test]
async fn a_call_is_cancelled_until_it_has_ended() {
    let stage = Stage::alone(Config::default()).await;
    let (location, invoke) = promised(&stage).await;
    for _ in 0..2 {
        let reply = stage.ask(&format!("DELETE {location}"), &[]).await;
        assert_eq!((reply.status, &json(&reply)["cancelling"]), (202, &Value::from(true)));
    }
    assert_eq!(json(&stage.get(&location).await)["cancelling"], true);
    assert_eq!(stage.store.cancelling_calls(9).await.unwrap(), [invoke.activation]);
    let problem = Problem::new(ProblemKind::Cancelled, "", invoke.id, Component::Runner);
    let answer = wire::Answer::problem(invoke.activation, 1, problem);
    stage.store.finish_call(&Finished { at: Timestamp::now(), answer }).await.unwrap();
    assert_eq!(json(&stage.get(&location).await)["status"], "cancelled");
    assert_eq!(stage.get(&format!("{location}/result")).await.status, 410);
    let again = stage.ask(&format!("DELETE {location}"), &[]).await;
    assert_eq!((again.status, &json(&again)["status"]), (200, &Value::from("cancelled")));
}

/// Whoever writes a result forgets the cancel after that, as Trons do; a frontend that notes one looks for a
/// result after that.
#[tokio::test]
async fn of_a_cancel_and_a_result_at_once_nothing_stays_to_be_cancelled() {
    let stage = Stage::alone(Config::default()).await;
    for _ in 0..20 {
        let (location, invoke) = promised(&stage).await;
        let cancel = format!("DELETE {location}");
        let ended = async {
            finish(&stage, &invoke, 200).await;
            stage.store.settle_cancel(invoke.activation).await.unwrap();
        };
        let (cancelled, ()) = tokio::join!(stage.ask(&cancel, &[]), ended);
        assert!([202, 409].contains(&cancelled.status), "{cancelled:?}");
        assert_eq!(json(&stage.get(&location).await)["status"], "done");
        assert_eq!(stage.ask(&cancel, &[]).await.status, 409);
        assert!(stage.store.cancelling_calls(9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_is_not_handed_over_is_not_promised() {
    let stage = Stage::alone(Config::default()).await;
    // It declares its queues before it answers anybody.
    assert_eq!(stage.get("/_funcatron/").await.status, 404);
    stage.broker.delete(REQUESTS).await.unwrap();
    let refused = stage.ask("GET /x", &[ASYNC]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    for kind in ["accepted", "pending"] {
        let records = std::fs::read_dir(stage.folder.path().join("calls").join(kind)).unwrap().count();
        assert_eq!(records, 0, "{kind}");
    }
    std::fs::remove_dir_all(stage.folder.path()).unwrap();
    std::fs::write(stage.folder.path(), "no directory").unwrap();
    stage.broker.declare(&dead_queue(REQUESTS)).await.unwrap();
    assert_eq!(stage.ask("GET /x", &[ASYNC]).await.status, 503);
    assert_eq!(stage.broker.depth(REQUESTS).await.unwrap().ready, 0);
}

/// It could be begun again from what is left of it.
#[tokio::test]
async fn what_is_refused_and_cannot_be_forgotten_is_not_told_as_not_executed() {
    let stage = Stage::over(Config::default(), forgetting_nothing().await).await;
    assert_eq!(stage.get("/_funcatron/").await.status, 404);
    assert_eq!(stage.ask("GET /x", &[ASYNC]).await.status, 202);
    stage.broker.delete(REQUESTS).await.unwrap();
    assert_eq!(stage.ask("GET /x", &[ASYNC]).await.status, 502);
}

/// A store that takes everything and deletes nothing.
async fn forgetting_nothing() -> Store {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(take_all(BufReader::new(stream)));
        }
    });
    Store::open(&url.parse().unwrap(), &Credentials::default()).unwrap()
}

async fn take_all(mut stream: BufReader<TcpStream>) {
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        let is_taken = line.starts_with("PUT");
        let mut body_bytes = 0;
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
            if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                body_bytes = length.trim().parse().unwrap();
            }
        }
        stream.read_exact(&mut vec![0; body_bytes]).await.unwrap();
        let status = if is_taken { "201 Created" } else { "403 Forbidden" };
        let response = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(response.as_bytes()).await.unwrap();
        line.clear();
    }
}

#[tokio::test]
async fn a_promised_call_is_kept_whole_before_it_is_handed_over() {
    let stage = Stage::alone(Config::default()).await;
    let (_, invoke) = promised(&stage).await;
    assert_eq!(stage.store.pending_call(invoke.activation).await.unwrap(), Some(invoke));
    let pending = stage.folder.path().join("calls/pending");
    std::fs::remove_dir_all(&pending).unwrap();
    std::fs::write(&pending, "no directory").unwrap();
    assert_eq!(stage.ask("GET /x", &[ASYNC]).await.status, 503);
    assert_eq!(stage.broker.depth(REQUESTS).await.unwrap().ready, 0);
    assert_eq!(std::fs::read_dir(stage.folder.path().join("calls/accepted")).unwrap().count(), 1);
}

#[tokio::test]
async fn callbacks_go_where_the_operator_allows() {
    let callbacks = AllowList::parse(&["hooks.test".into()]).unwrap();
    let stage = Stage::alone(Config { callbacks, ..Config::default() }).await;
    for url in ["http://127.0.0.1/", "https://evil.test/", "gopher://hooks.test/", "nonsense"] {
        let reply = stage.ask("GET /x", &[ASYNC, &format!("X-Callback-Url: {url}")]).await;
        assert_eq!(reply.status, 400, "{url}");
    }
    assert_eq!(stage.broker.depth(REQUESTS).await.unwrap().ready, 0);
    let reply = stage.ask("GET /x", &[ASYNC, "X-Callback-Url: https://hooks.test/a"]).await;
    let id: ActivationId = json(&reply)["id"].as_str().unwrap().parse().unwrap();
    let accepted = stage.store.accepted_call(id).await.unwrap().unwrap();
    assert_eq!(accepted.callback.as_deref(), Some("https://hooks.test/a"));
    let delivery = stage.broker.consume(REQUESTS, 1).await.unwrap().next().await.unwrap();
    let invoke = decode_lines::<Invoke>(&delivery.message.payload).unwrap().remove(0);
    finish(&stage, &invoke, 200).await;
    let callback = Callback { at: Timestamp(1), attempts: 6, error: Some("no route".into()) };
    stage.store.note_callback(id, &callback).await.unwrap();
    let told = json(&stage.get(&wire::calls::location(&id)).await);
    assert_eq!(told["callback"]["error"], "no route", "{told}");
}

#[tokio::test]
async fn a_call_is_forgotten_when_its_time_is_over() {
    let stage = Stage::alone(Config { calls_ttl: Duration::ZERO, ..Config::default() }).await;
    let reply = stage.ask("GET /x", &[ASYNC]).await;
    assert_eq!(reply.status, 202);
    assert_eq!(stage.get(reply.header("location").unwrap()).await.status, 404);
}

/// Whoever accepted it went away before it was handed over.
#[tokio::test]
async fn a_call_that_nobody_has_does_not_stay_pending() {
    let stage = Stage::alone(Config::default()).await;
    let (location, invoke) = promised(&stage).await;
    let accepted = stage.store.accepted_call(invoke.activation).await.unwrap().unwrap();
    let hour = Duration::from_secs(3_600).as_millis() as u64;
    let deadline = Timestamp(Timestamp::now().0 - hour);
    stage.store.accept_call(&wire::calls::Accepted { deadline, ..accepted }).await.unwrap();
    let told = json(&stage.get(&location).await);
    assert_eq!((&told["status"], &told["result"]), (&Value::from("failed"), &Value::Null));
    assert_eq!(stage.get(&format!("{location}/result")).await.status, 504);
    assert_eq!(stage.ask(&format!("DELETE {location}"), &[]).await.status, 409);
    finish(&stage, &invoke, 200).await;
    assert_eq!(json(&stage.get(&location).await)["status"], "done", "late is better than never");
}

#[tokio::test]
async fn reserved_paths_are_never_a_funcs() {
    let stage = Stage::start(Config::default()).await;
    let unknown = format!("/_funcatron/calls/{}", ActivationId::unguessable());
    for path in ["/_funcatron/", "/_funcatron/calls/1", &unknown, &format!("{unknown}/result")] {
        assert_eq!(stage.get(path).await.status, 404, "{path}");
    }
    let reply = stage.ask(&format!("PUT {unknown}"), &["Content-Length: 0"]).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD, DELETE")));
    assert_eq!(stage.calls(), 0);
}
