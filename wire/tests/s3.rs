//! The store in a bucket of S3, on a server that `scripts/s3.sh` starts.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use bytes::Bytes;
use futures_util::TryStreamExt;
use wire::admin::Deployment;
use wire::store::{Credentials, Error};
use wire::{BundleSha, Store, Timestamp};

fn store(prefix: &str) -> Store {
    let endpoint =
        std::env::var("FUNCATRON_TEST_S3").expect("FUNCATRON_TEST_S3 is not set: run scripts/s3.sh");
    let variable = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let aws = [
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT", endpoint.as_str()),
    ];
    let credentials = Credentials { token: None, aws: aws.map(variable).to_vec() };
    Store::open(&format!("s3://funcatron/{prefix}").parse().unwrap(), &credentials).unwrap()
}

fn deployment(number: u64) -> Deployment {
    Deployment { number, at: Timestamp(0), by: "me".into(), action: "test".into(), routes: Vec::new() }
}

#[tokio::test]
#[ignore = "scripts/s3.sh runs it, beside a server"]
async fn a_bucket_keeps_bundles_and_the_log() {
    let store = store("a/b");
    let sha = store.put_bundle(Bytes::from_static(b"zip")).await.unwrap();
    assert_eq!(store.bundle(&sha).await.unwrap().unwrap(), "zip");
    assert_eq!(store.bundles().await.unwrap(), [(sha.clone(), 3)]);
    store.delete_bundle(&sha).await.unwrap();
    assert_eq!(store.bundle(&sha).await.unwrap(), None);
    assert_eq!(store.bundle(&BundleSha::of(b"another")).await.unwrap(), None);
}

#[tokio::test]
#[ignore = "scripts/s3.sh runs it, beside a server"]
async fn a_deployment_that_is_there_is_not_overwritten() {
    let store = store("log");
    store.append_deployment(&deployment(1)).await.unwrap();
    let taken = store.append_deployment(&Deployment { by: "you".into(), ..deployment(1) }).await;
    assert!(matches!(taken, Err(Error::Taken(1))), "{taken:?}");
    assert_eq!(store.deployment(1).await.unwrap().unwrap().by, "me");
    store.append_deployment(&deployment(2)).await.unwrap();
    assert_eq!(store.deployment_numbers().await.unwrap(), [1, 2]);
}

#[tokio::test]
#[ignore = "scripts/s3.sh runs it, beside a server"]
async fn two_prefixes_of_a_bucket_are_two_stores() {
    let (one, other) = (store("one"), store("other"));
    let sha = one.put_bundle(Bytes::from_static(b"zip")).await.unwrap();
    assert_eq!(other.bundle(&sha).await.unwrap(), None);
    assert_eq!(other.bundles().await.unwrap(), []);
}

#[tokio::test]
#[ignore = "scripts/s3.sh runs it, beside a server"]
async fn a_large_body_comes_back_in_pieces() {
    let store = store("bodies");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
    let mut upload = store.upload();
    for data in bytes.chunks(100_000) {
        upload.push(data).await.unwrap();
    }
    let stored = upload.finish().await.unwrap();
    let pieces: Vec<Bytes> = store.body(&stored).await.unwrap().try_collect().await.unwrap();
    assert!(pieces.len() > 1);
    assert!(pieces.concat() == bytes, "other bytes come back");
    assert!(store.delete_bodies(Timestamp(u64::MAX)).await.unwrap() > 1);
    assert!(store.body(&stored).await.is_err());
}
