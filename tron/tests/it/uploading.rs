//! What becomes of an upload.

use std::sync::atomic::Ordering;

use wire::{ProblemKind, Store};

use crate::harness::{Stage, document, zip, zip_of};

#[tokio::test]
async fn the_same_bundle_is_new_and_inspected_once() {
    let stage = Stage::start().await;
    let first = stage.handle.upload(zip(&document("A", 1))).await.unwrap();
    let second = stage.handle.upload(zip(&document("A", 1))).await.unwrap();
    assert!(first.is_new && !second.is_new);
    assert_eq!(first.bundle, second.bundle);
    assert_eq!(stage.inspections.load(Ordering::Relaxed), 1);
    assert_eq!((first.bundle.title.as_str(), first.bundle.base_path.as_str()), ("A", "/a"));
    assert_eq!(stage.handle.bundles().await.unwrap(), [first.bundle]);
}

#[tokio::test]
async fn each_mistake_has_its_own_answer_and_nothing_is_kept() {
    let stage = Stage::start().await;
    for (upload, kind) in [
        ("no zip".into(), ProblemKind::InvalidRequest),
        (vec![0; 2 * 1024 * 1024].into(), ProblemKind::BodyTooLarge),
        (zip("{}"), ProblemKind::Unprocessable),
        (zip_of(&document("A", 1), "refuse"), ProblemKind::Unprocessable),
    ] {
        let rejection = stage.handle.upload(upload).await.unwrap_err();
        assert_eq!(rejection.kind(), kind, "{rejection}");
        assert_eq!(rejection.faults().is_empty(), kind != ProblemKind::Unprocessable, "{rejection}");
    }
    assert!(stage.handle.bundles().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_damaged_bundle_can_be_uploaded_again_or_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::on(Store::directory(folder.path()).unwrap()).await;
    let sha = stage.upload(&document("A", 1)).await;
    let file = folder.path().join("bundles").join(sha.as_str());
    std::fs::write(&file, "damaged").unwrap();
    assert!(stage.handle.upload(zip(&document("A", 1))).await.unwrap().is_new);
    assert!(stage.handle.bundle_content(&sha).await.is_ok());
    std::fs::write(&file, "damaged").unwrap();
    stage.handle.delete_bundle(&sha).await.unwrap();
    assert!(!file.exists());
}
