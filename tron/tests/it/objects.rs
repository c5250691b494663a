//! The objects that Tron hands out, through the store of a member that has nothing else.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::TryStreamExt;
use wire::calls::{Accepted, Finished};
use wire::store::{Credentials, Error};
use wire::{
    ActivationId, Answer, BodySha, BundleSha, Component, Namespace, Problem, ProblemKind, RequestId, Store,
    Timestamp,
};

use crate::harness::{Stage, TOKEN, document, zip};

fn store(stage: &Stage, token: Option<&str>) -> Store {
    let url = format!("http://{}", stage.address).parse().unwrap();
    Store::open(&url, &Credentials { token: token.map(str::to_owned), aws: Vec::new() }).unwrap()
}

#[tokio::test]
async fn a_member_without_the_store_reads_bundles_from_tron() {
    let stage = Stage::start().await;
    let sha = stage.upload(&document("A", 1)).await;
    let store = store(&stage, Some(TOKEN));
    assert_eq!(store.bundle(&sha).await.unwrap().unwrap(), zip(&document("A", 1)));
    assert_eq!(store.bundle(&BundleSha::of(b"another")).await.unwrap(), None);
}

#[tokio::test]
async fn objects_are_for_who_holds_the_token() {
    let stage = Stage::start().await;
    let sha = stage.upload(&document("A", 1)).await;
    for token in [None, Some("wrong")] {
        let refused = store(&stage, token).bundle(&sha).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_tron_that_is_gone_is_no_empty_store() {
    let stage = Stage::start().await;
    let sha = stage.upload(&document("A", 1)).await;
    let store = store(&stage, Some(TOKEN));
    stage.stop().await.unwrap();
    let gone = store.bundle(&sha).await;
    assert!(matches!(gone, Err(Error::Unavailable { .. })), "{gone:?}");
}

#[tokio::test]
async fn a_member_without_the_store_writes_and_reads_large_bodies_through_tron() {
    let stage = Stage::start().await;
    let store = store(&stage, Some(TOKEN));
    let bytes: Vec<u8> = (0..3 << 20).map(|at: u32| (at ^ (at >> 8) ^ (at >> 20)) as u8).collect();
    let mut upload = store.upload();
    upload.push(&bytes).await.unwrap();
    let stored = upload.finish().await.unwrap();
    for reader in [&store, &stage.store] {
        let pieces: Vec<Bytes> = reader.body(&stored).await.unwrap().try_collect().await.unwrap();
        assert!(pieces.concat() == bytes);
    }
    let absent = store.body_object(&BodySha::of(b"absent")).await.unwrap();
    assert_eq!(absent, None);
}

#[tokio::test]
async fn a_frontend_without_the_store_tells_of_calls_through_tron() {
    let stage = Stage::start().await;
    let store = store(&stage, Some(TOKEN));
    let (activation, at) = (ActivationId::unguessable(), Timestamp::now());
    let deadline = at.after(Duration::from_secs(60));
    let accepted = Accepted {
        activation,
        request_id: RequestId::generate(),
        namespace: Namespace::default(),
        at,
        deadline,
        expires_at: deadline,
        callback: None,
    };
    store.accept_call(&accepted).await.unwrap();
    assert_eq!(stage.store.accepted_call(activation).await.unwrap().as_ref(), Some(&accepted));
    assert_eq!(store.accepted_call(activation).await.unwrap(), Some(accepted));
    store.cancel_call(activation).await.unwrap();
    store.cancel_call(activation).await.unwrap();
    assert!(stage.store.is_cancelling_call(activation).await.unwrap());
    store.settle_cancel(activation).await.unwrap();
    assert!(!store.is_cancelling_call(activation).await.unwrap());
    let problem = Problem::new(ProblemKind::Internal, "", RequestId::generate(), Component::Runner);
    let finished = Finished { at, answer: Answer::problem(activation, 1, problem) };
    stage.store.finish_call(&finished).await.unwrap();
    assert_eq!(store.finished_call(activation).await.unwrap(), Some(finished));
    store.forget_call(activation).await.unwrap();
    store.forget_call(activation).await.unwrap();
    assert_eq!(stage.store.accepted_call(activation).await.unwrap(), None);
}

#[tokio::test]
async fn results_are_for_trons_to_write() {
    let stage = Stage::start().await;
    let id = ActivationId::unguessable();
    for (method, path) in [
        ("PUT", format!("results/{id}.json")),
        ("DELETE", format!("callbacks/{id}.json")),
        ("PUT", format!("accepted/{id}.json")),
        ("GET", format!("others/{id}.json")),
        ("GET", format!("results/{id}")),
    ] {
        let path = format!("/objects/calls/{path}");
        assert_eq!(
            stage.ask(method, &path, if method == "PUT" { "{}" } else { "" }).await.status,
            400,
            "{path}"
        );
    }
}

#[tokio::test]
async fn nobody_keeps_bytes_under_the_name_of_others() {
    let stage = Stage::start().await;
    let sha = BodySha::of(b"7");
    let path = format!("/objects/bodies/{sha}");
    assert_eq!(stage.ask("PUT", &path, "8").await.status, 400);
    assert_eq!(stage.ask("PUT", &path, vec![b'x'; (1 << 20) + 1]).await.status, 413);
    assert_eq!(stage.ask("GET", &path, "").await.status, 404);
    assert_eq!(stage.ask("PUT", &path, "7").await.status, 204);
    assert_eq!(stage.ask("GET", &path, "").await.status, 200);
}

#[tokio::test]
async fn old_bodies_go_and_new_ones_stay() {
    let stage = Stage::start().await;
    let folder = stage.dir.as_ref().unwrap().path().join("bodies");
    let keep = async |bytes: &'static [u8]| {
        let mut upload = stage.store.upload();
        upload.push(bytes).await.unwrap();
        folder.join(upload.finish().await.unwrap().object.as_str())
    };
    let (old, new) = (keep(b"old").await, keep(b"new").await);
    let days_ago = |days: u64| SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
    for (path, days) in [(&old, 3), (&new, 1)] {
        std::fs::File::open(path).unwrap().set_modified(days_ago(days)).unwrap();
    }
    while old.exists() {
        tokio::task::yield_now().await;
    }
    assert!(new.exists());
    stage.stop().await.unwrap();
}
