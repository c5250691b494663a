//! Calls: what reaches a Func, and what comes back.

use std::time::Duration;

use bytes::Bytes;
use frontend::Config;
use wire::Answer;
use wire::broker::{Broker, Message, REQUESTS};

use crate::harness::{Stage, answer};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

fn impatient() -> Config {
    let (call_timeout, answer_grace) = (Duration::from_millis(100), Duration::from_millis(10));
    Config { call_timeout, answer_grace, in_flight_max: 1, ..Config::default() }
}

#[tokio::test]
async fn a_func_gets_the_request_and_the_client_its_answer() {
    let stage = Stage::start(Config::default()).await;
    let mut client = stage.client().await;
    client
        .send(b"PUT http://A.Test/x/%C3%BC?q=1 HTTP/1.1\r\nHost: a.test:80\r\nAccept: b\r\nContent-Length: 2\r\nX-Request-Id: mine\r\nX-Funcatron-Operation: o\r\n\r\nhi")
        .await;
    let reply = client.reply().await;
    let expected = r#"PUT http://a.test/x/%C3%BC?q=1 [("accept", "b"), ("content-length", "2")] hi"#;
    assert_eq!((reply.status, &*reply.body), (200, expected));
    assert_eq!(reply.header("x-request-id"), Some("mine"));
}

#[tokio::test]
async fn health_is_told_without_a_func_and_says_how_busy_it_is() {
    let config = Config::default();
    let member = config.member.clone();
    let stage = Stage::start(config).await;
    let mut client = stage.client().await;
    client.send(b"GET /_funcatron/health HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let reply = client.reply().await;
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!((reply.status, reply.body), (200, format!(r#"{{"member":"{member}","in_flight":0}}"#)));
}

#[tokio::test]
async fn an_invalid_request_id_is_replaced() {
    let stage = Stage::start(Config::default()).await;
    let mut client = stage.client().await;
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: a b\r\n\r\n").await;
    assert_eq!(client.reply().await.header("x-request-id").map(str::len), Some(36));
}

#[tokio::test]
async fn one_connection_serves_many_requests_pipelined_or_not() {
    let stage = Stage::start(Config::default()).await;
    let mut client = stage.client().await;
    for batch in [1, 20, 1, 3] {
        client.send(&GET.repeat(batch)).await;
        for _ in 0..batch {
            assert_eq!(client.reply().await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_chunked_body_arrives_whole_and_ends_the_connection() {
    let stage = Stage::start(Config::default()).await;
    let input = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: t\r\n\r\n";
    let output = stage.talk(input).await;
    assert!(output.contains("connection: close\r\n") && output.ends_with(" abcde"), "{output}");
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_continue() {
    let stage = Stage::start(Config::default()).await;
    let mut client = stage.client().await;
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 100 "));
    client.send(b"abc").await;
    assert!(client.reply().await.body.ends_with(" abc"));
}

#[tokio::test]
async fn responses_that_have_no_body_send_none() {
    let stage = Stage::with(Config::default(), |invoke| {
        let status = invoke.path.trim_start_matches('/').parse().unwrap();
        vec![answer(invoke, status, &[], "hello")]
    });
    let stage = stage.await;
    let mut client = stage.client().await;
    for (line, expected) in [
        ("HEAD /200", Some("content-length: 5")),
        ("GET /204", None),
        ("GET /304", None),
        ("HEAD /404", Some("content-length: 5")),
    ] {
        client.send(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await;
        let head = client.head().await;
        assert_eq!(head.lines().find(|line| line.starts_with("content-length")), expected, "{line}: {head}");
    }
    client.send(b"GET /200 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.reply().await.body, "hello");
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_a_502_on_a_sound_connection() {
    let stage = Stage::with(Config::default(), |invoke| {
        let good = answer(invoke, 200, &[], "good");
        let bad = match &*invoke.path {
            "/status" => Answer { status: 101, ..good },
            "/split" => answer(invoke, 200, &[("x", "a\r\n\r\nHTTP/1.1 200 OK")], ""),
            "/parts" => Answer { more: true, ..good },
            _ => answer(invoke, 200, &[("content-length", "1"), ("transfer-encoding", "x")], "good"),
        };
        vec![bad]
    });
    let stage = stage.await;
    let mut client = stage.client().await;
    for (path, status) in [("/status", 502), ("/split", 502), ("/parts", 502), ("/lies", 200)] {
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await;
        assert_eq!(client.reply().await.status, status, "{path}");
    }
}

#[tokio::test]
async fn no_answer_is_a_504_and_leaves_nothing_behind() {
    let stage = Stage::start(impatient()).await;
    for _ in 0..2 {
        let reply = stage.get("/silent").await;
        assert_eq!(reply.status, 504);
        assert!(reply.body.contains("no component answered"), "{}", reply.body);
    }
    assert_eq!(stage.get("/").await.status, 200);
}

#[tokio::test]
async fn late_and_foreign_and_broken_answers_do_no_harm() {
    let stage = Stage::with(impatient(), |invoke| {
        let foreign = Answer { activation: wire::ActivationId::generate(), ..answer(invoke, 500, &[], "") };
        vec![foreign, answer(invoke, 200, &[], "first"), answer(invoke, 200, &[], "second")]
    });
    let stage = stage.await;
    for _ in 0..3 {
        assert_eq!(stage.get("/").await.body, "first");
    }
}

#[tokio::test]
async fn a_client_that_leaves_gives_up_its_place() {
    let config = Config { in_flight_max: 1, ..Config::default() };
    let stage = Stage::start(config).await;
    let mut gone = stage.client().await;
    gone.send(b"GET /silent HTTP/1.1\r\nHost: a\r\n\r\n").await;
    until(|| stage.calls() == 1).await;
    let refused = stage.get("/").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    drop(gone);
    while stage.get("/").await.status != 200 {}
}

#[tokio::test]
async fn a_lost_firehose_is_a_503() {
    let stage = Stage::start(Config::default()).await;
    assert_eq!(stage.get("/").await.status, 200);
    stage.broker.delete(REQUESTS).await.unwrap();
    let reply = stage.get("/").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
}

#[tokio::test]
async fn shutting_down_lets_the_last_call_finish() {
    let config = Config { call_timeout: Duration::from_millis(200), ..Config::default() };
    let mut stage = Stage::start(config).await;
    let mut client = stage.client().await;
    client.send(b"GET /silent HTTP/1.1\r\nHost: a\r\n\r\n").await;
    until(|| stage.calls() == 1).await;
    stage.shutdown.cancel();
    assert_eq!(client.reply().await.status, 504);
    drop(client);
    (&mut stage.frontend).await.unwrap().unwrap();
}

#[tokio::test]
async fn garbage_in_the_reply_queue_is_dropped() {
    let stage = Stage::with(Config::default(), |invoke| {
        vec![answer(invoke, 200, &[], invoke.reply_to.as_deref().unwrap())]
    });
    let stage = stage.await;
    let queue = stage.get("/").await.body;
    stage.broker.publish(&queue, Message::new(Bytes::from_static(b"{\n\nnull\n"))).await.unwrap();
    assert_eq!(stage.get("/").await.status, 200);
}

/// Waits for a condition that others bring about.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}
