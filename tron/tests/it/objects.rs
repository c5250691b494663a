//! The objects that Tron hands out, through the store of a member that has nothing else.

use wire::store::{Credentials, Error};
use wire::{BundleSha, Store};

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
