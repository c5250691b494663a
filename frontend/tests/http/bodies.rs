//! Large bodies: into the store while they come, out of it as they are taken.

use std::time::Duration;

use frontend::Config;
use tokio::net::TcpListener;
use wire::store::Credentials;
use wire::{Answer, Body, BodySha, Invoke, Store, StoredBody};

use crate::harness::{Client, Stage, answer, echo};

/// Bytes of which no two pieces of a body are equal.
fn bytes(len: usize) -> Vec<u8> {
    (0..len as u64).map(|at| (at ^ (at >> 8) ^ (at >> 20)) as u8).collect()
}

fn head(method: &str, headers: &str) -> Vec<u8> {
    format!("{method} / HTTP/1.1\r\nHost: a.test\r\n{headers}\r\n\r\n").into_bytes()
}

fn post(body: &[u8]) -> Vec<u8> {
    [head("POST", &format!("Content-Length: {}\r\nConnection: close", body.len())), body.to_vec()].concat()
}

fn chunked(body: &[u8], chunk: usize) -> Vec<u8> {
    let chunks = body
        .chunks(chunk)
        .map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    [head("POST", "Transfer-Encoding: chunked"), chunks.collect::<Vec<_>>().concat(), b"0\r\n\r\n".to_vec()]
        .concat()
}

/// The body of the response to a request that goes well.
async fn exchange(stage: &Stage, request: Vec<u8>) -> Vec<u8> {
    let output = stage.client().await.exchange(&request).await;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    assert!(head.starts_with("HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&output));
    output[end..].to_vec()
}

fn files(stage: &Stage) -> usize {
    std::fs::read_dir(stage.folder.path().join("bodies")).map_or(0, Iterator::count)
}

/// Answers with a body in the store that the path names: its first object, its SHA-256 and its length.
fn answer_with_stored(invoke: &Invoke) -> Vec<Answer> {
    let [object, sha256, len] =
        <[&str; 3]>::try_from(invoke.path[1..].split('/').collect::<Vec<_>>()).unwrap();
    let [object, sha256] = [object, sha256].map(|sha| BodySha::parse(sha).unwrap());
    let body = Body::Stored(StoredBody { object, sha256, len: len.parse().unwrap() });
    vec![Answer { body, ..answer(invoke, 200, &[("content-length", "7")], "") }]
}

fn path(stored: &StoredBody) -> String {
    format!("/{}/{}/{}", stored.object, stored.sha256, stored.len)
}

async fn keep(stage: &Stage, bytes: &[u8]) -> StoredBody {
    let mut upload = stage.store.upload();
    upload.push(bytes).await.unwrap();
    upload.finish().await.unwrap()
}

async fn get(stage: &Stage, method: &str, path: &str) -> (String, Vec<u8>) {
    let mut client: Client = stage.client().await;
    client.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes()).await;
    let head = client.head().await;
    (head, client.rest_bytes().await)
}

#[tokio::test]
async fn a_large_body_passes_through_the_store_both_ways() {
    let stage = Stage::start(Config::default()).await;
    let body = bytes((5 << 20) + 3);
    assert!(exchange(&stage, post(&body)).await == body);
    assert!(exchange(&stage, chunked(&body, 100_000)).await == body);
    // The same six pieces and their index, however they came.
    assert_eq!(files(&stage), 7);
}

#[tokio::test]
async fn a_body_that_fits_a_message_never_sees_the_store() {
    let stage = Stage::start(Config::default()).await;
    let body = vec![b'x'; Body::INLINE_BYTES_MAX];
    for request in [post(&body), chunked(&body, 1000)] {
        assert!(exchange(&stage, request).await.ends_with(&body));
    }
    assert_eq!(files(&stage), 0);
    exchange(&stage, post(&vec![b'x'; Body::INLINE_BYTES_MAX + 1])).await;
    assert_eq!(files(&stage), 1);
}

#[tokio::test]
async fn no_message_is_over_a_mebibyte_whatever_a_client_sends() {
    let stage = Stage::with(Config::default(), |invoke| {
        let line = wire::encode_line(invoke).unwrap();
        vec![answer(invoke, 200, &[], &line.len().to_string())]
    });
    let stage = stage.await;
    for byte in [0, b'"', 0xff] {
        let len = exchange(&stage, post(&vec![byte; Body::INLINE_BYTES_MAX])).await;
        let len: usize = String::from_utf8(len).unwrap().parse().unwrap();
        assert!(len < 1 << 20, "{byte}: {len}");
    }
}

#[tokio::test]
async fn a_large_response_says_its_length_and_head_sends_none_of_it() {
    let stage = Stage::with(Config::default(), answer_with_stored).await;
    let body = bytes(3 << 20);
    let path = path(&keep(&stage, &body).await);
    let length = format!("content-length: {}\r\n", body.len());
    let (head, got) = get(&stage, "GET", &path).await;
    assert!(head.contains(&length) && got == body, "{head}");
    let (head, got) = get(&stage, "HEAD", &path).await;
    assert!(head.contains(&length) && got.is_empty(), "{head}");
}

#[tokio::test]
async fn a_response_that_is_gone_is_a_502_and_one_that_is_damaged_breaks_off() {
    let stage = Stage::with(Config::default(), answer_with_stored).await;
    let body = bytes(3 << 20);
    let stored = keep(&stage, &body).await;
    let gone = StoredBody { object: BodySha::of(b"gone"), ..stored.clone() };
    let (head, _) = get(&stage, "GET", &path(&gone)).await;
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    let last = BodySha::of(&body[2 << 20..]);
    std::fs::write(stage.folder.path().join(format!("bodies/{last}")), b"damaged").unwrap();
    let (head, got) = get(&stage, "GET", &path(&stored)).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(got == body[..2 << 20], "{} bytes", got.len());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_promised_or_not() {
    let mut config = Config::default();
    config.limits.body_bytes_max = 1 << 20;
    let stage = Stage::start(config).await;
    let output = stage.talk(&head("POST", "Content-Length: 1048577")).await;
    assert!(output.starts_with("HTTP/1.1 413 "), "{output}");
    let output = stage.talk(&chunked(&bytes((1 << 20) + 1), 10_000)).await;
    assert!(output.starts_with("HTTP/1.1 413 "), "{output}");
    assert_eq!(stage.calls(), 0);
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_makes_no_call_and_gives_up_its_place() {
    let stage = Stage::start(Config { transfers_max: 1, ..Config::default() }).await;
    let body = bytes(2 << 20);
    let mut gone = stage.client().await;
    gone.send(&post(&body)[..(1 << 20) + 500_000]).await;
    drop(gone);
    assert!(exchange(&stage, post(&body)).await == body);
    assert_eq!(stage.calls(), 1);
}

#[tokio::test]
async fn a_length_that_lies_makes_no_call_for_what_is_missing_and_none_of_what_is_left() {
    let stage = Stage::start(Config::default()).await;
    let body = bytes(2 << 20);
    let mut short = stage.client().await;
    short.send(&[head("POST", "Content-Length: 2097153"), body.clone()].concat()).await;
    short.end().await;
    let output = short.rest().await;
    assert!(output.is_empty() || output.starts_with("HTTP/1.1 400 "), "{output}");
    assert_eq!(stage.calls(), 0);

    let long = [head("POST", "Content-Length: 2097151"), body.clone()].concat();
    let output = stage.client().await.exchange(&long).await;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    assert!(output[end..].starts_with(&body[..(2 << 20) - 1]));
    assert_eq!(stage.calls(), 1);
}

#[tokio::test]
async fn a_store_that_takes_nothing_is_a_503_for_large_bodies_alone() {
    let stage = Stage::start(Config::default()).await;
    std::fs::write(stage.folder.path().join("bodies"), b"no directory").unwrap();
    let output = stage.talk(&post(&bytes(1 << 20))).await;
    assert!(output.starts_with("HTTP/1.1 503 "), "{output}");
    assert!(output.contains("not executed") && output.contains("retry-after: 1"), "{output}");
    assert_eq!(stage.calls(), 0);
    assert_eq!(stage.get("/").await.status, 200);
}

#[tokio::test]
async fn a_store_that_does_not_answer_keeps_nobody_waiting() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap()).parse().unwrap();
    let store = Store::open(&url, &Credentials::default()).unwrap();
    let mut config = Config::default();
    config.limits.body_idle_timeout = Duration::from_millis(100);
    let stage = Stage::over(config, store).await.answered_by(answer_with_stored);
    let output = stage.talk(&post(&bytes(300_000))).await;
    assert!(output.starts_with("HTTP/1.1 503 "), "{output}");
    assert_eq!(stage.calls(), 0);
    let sha = BodySha::of(b"somewhere");
    let (head, _) = get(&stage, "GET", &format!("/{sha}/{sha}/300000")).await;
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
}

#[tokio::test]
async fn a_transfer_without_a_place_waits_and_then_hears_503() {
    let mut config = Config { transfers_max: 0, ..Config::default() };
    config.limits.body_idle_timeout = Duration::from_millis(50);
    let stage = Stage::with(config, echo).await;
    let output = stage.talk(&post(&bytes(300_000))).await;
    assert!(output.starts_with("HTTP/1.1 503 "), "{output}");
    assert_eq!(stage.get("/").await.status, 200);
}
