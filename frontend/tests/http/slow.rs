//! Clients that take their time.

use std::time::Duration;

use frontend::Config;

use crate::harness::Stage;

const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_head_that_does_not_end_gets_408() {
    let mut config = Config::default();
    config.limits.head_timeout = SHORT;
    let stage = Stage::start(config).await;
    let output = stage.talk(b"GET / HTTP/1.1\r\nHost: a").await;
    assert!(output.starts_with("HTTP/1.1 408 "), "{output}");
    assert!(output.contains("application/problem+json"), "{output}");
}

#[tokio::test]
async fn a_second_head_is_bounded_too() {
    let mut config = Config::default();
    config.limits.head_timeout = SHORT;
    let stage = Stage::start(config).await;
    let mut client = stage.client().await;
    client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 200);
    client.send(b"G").await;
    assert!(client.rest().await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed_in_silence() {
    let mut config = Config::default();
    (config.limits.head_timeout, config.limits.idle_timeout) = (SHORT, 2 * SHORT);
    let stage = Stage::start(config).await;
    assert_eq!(stage.talk(b"").await, "");
    let mut client = stage.client().await;
    client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 200);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_body_without_progress_gets_408() {
    let mut config = Config::default();
    config.limits.body_idle_timeout = SHORT;
    let stage = Stage::start(config).await;
    for framing in ["Content-Length: 5\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let output = stage.talk(format!("POST / HTTP/1.1\r\nHost: a.test\r\n{framing}").as_bytes()).await;
        assert!(output.starts_with("HTTP/1.1 408 "), "{output}");
        assert!(output.contains("connection: close\r\n"), "{output}");
    }
    assert_eq!(stage.calls(), 0);
}

#[tokio::test]
async fn slow_clients_do_not_keep_others_waiting() {
    let stage = Stage::start(Config::default()).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut client = stage.client().await;
        client.send(b"GET / HTTP/1.1\r\n").await;
        slow.push(client);
    }
    assert_eq!(stage.get("/").await.status, 200);
}

#[tokio::test]
async fn a_connection_over_the_limit_waits_for_one_to_end() {
    let mut config = Config::default();
    config.limits.connections_max = 1;
    config.limits.head_timeout = SHORT;
    let stage = Stage::start(config).await;
    let mut first = stage.client().await;
    first.send(b"G").await;
    assert_eq!(stage.get("/").await.status, 200);
    assert!(first.rest().await.starts_with("HTTP/1.1 408 "));
}
