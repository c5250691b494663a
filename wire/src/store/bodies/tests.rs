//! Bodies in a directory, whole and damaged.

use std::path::PathBuf;

use super::*;
use crate::Timestamp;

struct Stage {
    directory: tempfile::TempDir,
    store: Store,
}

impl Stage {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::directory(directory.path()).unwrap();
        Self { directory, store }
    }

    async fn keep(&self, bytes: &[u8], step: usize) -> StoredBody {
        let mut upload = self.store.upload();
        for data in bytes.chunks(step) {
            upload.push(data).await.unwrap();
        }
        upload.finish().await.unwrap()
    }

    async fn read(&self, stored: &StoredBody) -> Result<Vec<u8>, Error> {
        let pieces: Vec<Bytes> = self.store.body(stored).await?.try_collect().await?;
        Ok(pieces.concat())
    }

    fn file(&self, sha: &BodySha) -> PathBuf {
        self.directory.path().join(format!("bodies/{sha}"))
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.directory.path().join("bodies")).map_or(0, Iterator::count)
    }
}

/// Bytes of which no two pieces are equal.
fn bytes(len: usize) -> Vec<u8> {
    (0..len as u64).map(|at| (at ^ (at >> 8) ^ (at >> 20)) as u8).collect()
}

#[tokio::test]
async fn a_body_comes_back_byte_for_byte() {
    let stage = Stage::new();
    for (len, step) in [(0, 1), (1, 1), (PIECE_BYTES, 1000), (PIECE_BYTES + 1, 8192), (5 << 20, 3 << 20)] {
        let bytes = bytes(len);
        let stored = stage.keep(&bytes, step).await;
        assert_eq!((stored.len, &stored.sha256), (len as u64, &BodySha::of(&bytes)));
        assert_eq!(stage.read(&stored).await.unwrap(), bytes, "{len}");
    }
}

#[tokio::test]
async fn a_body_of_one_piece_lies_under_its_own_sha() {
    let stage = Stage::new();
    let stored = stage.keep(b"small", 2).await;
    assert_eq!(stored.object, stored.sha256);
    assert_eq!(std::fs::read(stage.file(&stored.sha256)).unwrap(), b"small");
}

#[tokio::test]
async fn the_same_body_is_kept_once_however_it_was_cut() {
    let stage = Stage::new();
    let bytes = bytes(3 << 20);
    let first = stage.keep(&bytes, 1 << 20).await;
    assert_eq!(stage.keep(&bytes, 77_777).await, first);
    assert_eq!(stage.files(), 4);
}

#[tokio::test]
async fn not_a_byte_of_a_damaged_piece_is_passed_on() {
    let stage = Stage::new();
    let bytes = bytes(3 << 20);
    let stored = stage.keep(&bytes, 1 << 20).await;
    let second = BodySha::of(&bytes[PIECE_BYTES..2 * PIECE_BYTES]);
    let mut damaged = bytes[PIECE_BYTES..2 * PIECE_BYTES].to_vec();
    damaged[77] ^= 1;
    std::fs::write(stage.file(&second), damaged).unwrap();
    let mut stream = stage.store.body(&stored).await.unwrap();
    assert_eq!(stream.try_next().await.unwrap().unwrap(), bytes[..PIECE_BYTES]);
    assert!(matches!(stream.try_next().await, Err(Error::BodyDamaged(sha)) if sha == second));
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_piece_that_is_gone_or_too_long_is_told() {
    let stage = Stage::new();
    let stored = stage.keep(&bytes(2 << 20), 1 << 20).await;
    let first = BodySha::of(&bytes(1 << 20));
    std::fs::write(stage.file(&first), vec![0; PIECE_BYTES + 1]).unwrap();
    assert!(matches!(stage.read(&stored).await, Err(Error::BodyDamaged(sha)) if sha == first));
    std::fs::remove_file(stage.file(&first)).unwrap();
    assert!(matches!(stage.read(&stored).await, Err(Error::BodyAbsent(sha)) if sha == first));
    std::fs::remove_file(stage.file(&stored.object)).unwrap();
    assert!(matches!(stage.read(&stored).await, Err(Error::BodyAbsent(sha)) if sha == stored.object));
}

#[tokio::test]
async fn a_reference_that_lies_is_told() {
    let stage = Stage::new();
    for len in [5, 2 << 20] {
        let stored = stage.keep(&bytes(len), 1 << 20).await;
        for wrong in [
            StoredBody { len: stored.len + 1, ..stored.clone() },
            StoredBody { len: stored.len - 1, ..stored.clone() },
            StoredBody { sha256: BodySha::of(b"other"), ..stored.clone() },
        ] {
            assert!(stage.read(&wrong).await.is_err(), "{wrong:?}");
        }
    }
}

#[tokio::test]
async fn an_index_that_is_none_is_told() {
    let stage = Stage::new();
    for index in [&b"../../token\n"[..], b"\xff", &[b'a'; 64]] {
        let object = stage.keep(index, 1 << 20).await.object;
        let wrong = StoredBody { object, sha256: BodySha::of(b""), len: 1 };
        assert!(stage.read(&wrong).await.is_err());
    }
}

#[tokio::test]
async fn old_bodies_are_deleted_and_those_kept_again_are_not_old() {
    let stage = Stage::new();
    let two_days_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(48 * 3600);
    let old = stage.keep(b"old", 1).await;
    let kept_again = stage.keep(b"kept again", 1).await;
    for stored in [&old, &kept_again] {
        std::fs::File::open(stage.file(&stored.object)).unwrap().set_modified(two_days_ago).unwrap();
    }
    stage.keep(b"kept again", 1).await;
    let yesterday = Timestamp(Timestamp::now().0 - 24 * 3600 * 1000);
    assert_eq!(stage.store.delete_bodies(yesterday).await.unwrap(), 1);
    assert_eq!(stage.store.delete_bodies(yesterday).await.unwrap(), 0);
    assert!(stage.read(&old).await.is_err());
    assert_eq!(stage.read(&kept_again).await.unwrap(), b"kept again");
}

#[tokio::test]
async fn what_was_left_in_the_middle_of_a_write_is_deleted_when_it_is_old() {
    let stage = Stage::new();
    let hour = std::time::Duration::from_secs(3600);
    let kept = stage.keep(b"kept", 1).await;
    let left = |number: u64, hours: u32| {
        let file = stage.directory.path().join(format!("bodies/{}#{number}", kept.object));
        std::fs::write(&file, b"ke").unwrap();
        let at = std::time::SystemTime::now() - hours * hour;
        std::fs::File::open(&file).unwrap().set_modified(at).unwrap();
        file
    };
    let (old, new) = (left(1, 2), left(2, 0));
    let an_hour_ago = Timestamp(Timestamp::now().0 - 3600 * 1000);
    assert_eq!(stage.store.delete_bodies(an_hour_ago).await.unwrap(), 1);
    assert!(!old.exists() && new.exists());
    assert_eq!(stage.read(&kept).await.unwrap(), b"kept");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_fails_the_upload() {
    let stage = Stage::new();
    std::fs::write(stage.directory.path().join("bodies"), b"no directory").unwrap();
    let mut upload = stage.store.upload();
    let pushed = upload.push(&bytes(8 << 20)).await;
    let outcome = match pushed {
        Ok(()) => upload.finish().await,
        Err(error) => Err(error),
    };
    assert!(matches!(outcome, Err(Error::Unavailable { .. })), "{outcome:?}");
}
