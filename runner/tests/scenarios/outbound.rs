//! Requests that Funcs send.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::harness::{Deployment, Harness, invoke, start, text};

/// A server that answers every request with its head.
async fn mirror() -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let len = stream.read(&mut head).await.unwrap();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.write_all(&head[..len]).await.unwrap();
        }
    });
    (port, serving)
}

async fn allowing(entries: &[String]) -> Harness {
    let mut deployment = Deployment::of("tests/funcs/hostile");
    deployment.outbound = entries.to_vec();
    start(deployment).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_an_allowed_host_with_the_id_of_the_call() {
    let (port, _serving) = mirror().await;
    let mut harness = allowing(&[format!("127.0.0.1:{port}"), format!("localhost:{port}")]).await;
    for host in ["127.0.0.1", "localhost", "LOCALHOST"] {
        let call = invoke("GET", &format!("/api/fetch?url=http://{host}:{port}/x?y=1"));
        let id = call.id.to_string();
        let seen = text(&harness.call(call).await);
        assert!(seen.contains("GET /x") && seen.contains(&format!("x-request-id: {id}")), "{host}: {seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_that_is_not_allowed() {
    let (port, _serving) = mirror().await;
    let mut harness = allowing(&["example.test".to_owned()]).await;
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://example.test@127.0.0.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
    ] {
        let seen = text(&harness.get(&format!("/api/fetch?url={url}")).await);
        assert!(!seen.contains("GET /"), "{url}: {seen}");
    }
}
