//! Large bodies: through the store both ways, held only where the document asks for it.

use futures_util::TryStreamExt;
use runner::Config;
use wire::{Answer, Body, BodySha, Invoke, StoredBody};

use crate::harness::{Deployment, Harness, config, invoke, json, start_with};

async fn stream() -> Harness {
    stream_with(config()).await
}

async fn stream_with(config: Config) -> Harness {
    start_with(config, Deployment::of("tests/funcs/stream")).await
}

/// Bytes of which no two pieces of a body are equal.
fn bytes(len: u64) -> Vec<u8> {
    (0..len).map(|at| (at ^ (at >> 8) ^ (at >> 20)) as u8).collect()
}

/// A list of texts, this long as JSON.
fn texts(len: usize) -> Vec<u8> {
    format!("[\"{}\"]", "x".repeat(len - 4)).into_bytes()
}

impl Harness {
    async fn keep(&self, bytes: &[u8]) -> StoredBody {
        let mut upload = self.store.upload();
        upload.push(bytes).await.unwrap();
        upload.finish().await.unwrap()
    }

    async fn post(&mut self, path: &str, media_type: &str, body: Body) -> Answer {
        let mut post = invoke("POST", path);
        post.headers = vec![("content-type".into(), media_type.into())];
        self.call(Invoke { body, ..post }).await
    }

    async fn echo(&mut self, stored: StoredBody) -> Answer {
        self.post("/api/echo", "application/octet-stream", Body::Stored(stored)).await
    }

    async fn bytes(&self, answer: &Answer) -> Vec<u8> {
        match &answer.body {
            Body::Inline(bytes) => bytes.to_vec(),
            Body::Stored(stored) => {
                let stream = self.store.body(stored).await.unwrap();
                stream.try_collect::<Vec<_>>().await.unwrap().concat()
            }
        }
    }

    fn object(&self, sha: &BodySha) -> std::path::PathBuf {
        self.folder.path().join(format!("bodies/{sha}"))
    }
}

fn detail(answer: &Answer) -> String {
    json(answer)["detail"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_passes_through_the_func_both_ways() {
    let mut harness = stream().await;
    let sent = bytes((20 << 20) + 7);
    let stored = harness.keep(&sent).await;
    let answer = harness.echo(stored.clone()).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.body, Body::Stored(stored));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_a_message_stays_out_of_the_store() {
    let mut harness = stream().await;
    let sent = bytes(Body::INLINE_BYTES_MAX as u64);
    let answer = harness.post("/api/echo", "application/octet-stream", Body::from(sent.clone())).await;
    assert_eq!(answer.body, Body::from(sent));
    assert!(!harness.folder.path().join("bodies").exists());
    let sent = bytes(Body::INLINE_BYTES_MAX as u64 + 1);
    let stored = harness.keep(&sent).await;
    assert_eq!(harness.echo(stored.clone()).await.body, Body::Stored(stored));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_that_the_document_describes_is_checked_whole() {
    let mut harness = stream().await;
    let sent = texts(1 << 20);
    let stored = harness.keep(&sent).await;
    let answer = harness.post("/api/checked", "application/json", Body::Stored(stored.clone())).await;
    assert_eq!((answer.status, &answer.body), (200, &Body::Stored(stored)));
    assert_eq!(harness.bytes(&answer).await, sent);

    let wrong = harness.keep(&[b"[1,".as_slice(), &texts(1 << 20), b"]"].concat()).await;
    let answer = harness.post("/api/checked", "application/json", Body::Stored(wrong)).await;
    assert_eq!((answer.status, json(&answer)["errors"][0]["pointer"].clone()), (400, "/0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_long_to_be_checked_is_refused() {
    let mut harness = stream_with(Config { request_bytes_max: 300_000, ..config() }).await;
    let stored = harness.keep(&texts(300_001)).await;
    let answer = harness.post("/api/checked", "application/json", Body::Stored(stored.clone())).await;
    assert_eq!(answer.status, 413, "{}", detail(&answer));
    // Its type comes first, and whoever has no leave is not told more.
    let answer = harness.post("/api/checked", "text/plain", Body::Stored(stored)).await;
    assert_eq!(answer.status, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_response_needs_a_documented_type_that_nothing_describes() {
    let config = Config { response_bytes_max: 300_000, stored_bytes_max: 400_000, ..config() };
    let mut harness = stream_with(config).await;
    let (short, long) = (harness.keep(&bytes(350_000)).await, harness.keep(&bytes(400_001)).await);
    assert_eq!(harness.echo(short.clone()).await.status, 200);
    let answer = harness.echo(long).await;
    assert_eq!(answer.status, 502);
    assert!(detail(&answer).contains("over 400000 bytes"), "{}", detail(&answer));
    let answer = harness.post("/api/unknown", "application/octet-stream", Body::Stored(short)).await;
    assert_eq!(answer.status, 502);
    assert!(detail(&answer).contains("over 300000 bytes; a longer one"), "{}", detail(&answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_gone_is_told_and_nothing_runs() {
    let mut harness = stream().await;
    let stored = harness.keep(&bytes(2 << 20)).await;
    std::fs::remove_file(harness.object(&stored.object)).unwrap();
    let answer = harness.echo(stored).await;
    assert_eq!(answer.status, 500);
    assert!(detail(&answer).contains("not executed"), "{}", detail(&answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_func_that_says_nothing_of_a_lost_body_is_not_believed() {
    let mut harness = stream().await;
    let sent = bytes(3 << 20);
    let last = BodySha::of(&sent[2 << 20..]);
    let stored = harness.keep(&sent).await;
    // The reference is of another body, a piece is damaged, a piece is gone.
    let lying = StoredBody { sha256: BodySha::of(b"another"), ..stored.clone() };
    let mut answers = vec![harness.echo(lying).await];
    std::fs::write(harness.object(&last), b"damaged").unwrap();
    answers.push(harness.echo(stored.clone()).await);
    std::fs::remove_file(harness.object(&last)).unwrap();
    answers.push(harness.echo(stored).await);
    for answer in answers {
        assert_eq!(answer.status, 502);
        assert!(detail(&answer).contains("lost while the Func read it"), "{}", detail(&answer));
    }
    let whole = harness.keep(&bytes(1 << 20)).await;
    assert_eq!(harness.echo(whole).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_takes_nothing_fails_the_call_and_not_the_runner() {
    let mut harness = stream().await;
    let sent = bytes(2 << 20);
    let stored = harness.keep(&sent).await;
    let folder = harness.folder.path().join("bodies");
    // Root may write into any directory; where there is none, nobody can.
    std::fs::rename(&folder, harness.folder.path().join("moved")).unwrap();
    std::fs::write(&folder, b"no directory").unwrap();
    let large = harness.post("/api/echo", "application/octet-stream", Body::from(sent)).await;
    assert_eq!(large.status, 502);
    assert!(detail(&large).contains("could not be kept"), "{}", detail(&large));
    assert_eq!(harness.echo(stored).await.status, 500);
    let small = harness.post("/api/echo", "application/octet-stream", Body::from("small")).await;
    assert_eq!(small.body, Body::from("small"));
}
