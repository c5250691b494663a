//! Large bodies in the store: written and read as streams, found by their content.
//!
//! An object is at most one piece long and lies under its own SHA-256. A body of one piece is that
//! object; a longer one is an index, which names its pieces line by line. So a plain put and a plain get
//! are all that a store must know, whoever keeps an object can be held to its name, and no byte of a
//! piece is passed on before all of it was checked.

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{GetResult, ObjectStoreExt};
use sha2::{Digest, Sha256};
use tokio::task::{JoinSet, spawn_blocking};

use super::{Error, Store, unavailable};
use crate::{BodySha, StoredBody};

/// What a transfer holds in memory is a few of these, and thousands of transfers may be under way.
const PIECE_BYTES: usize = 1 << 20;
/// Pieces of one body that are being written at a time: they hide the round trip to a distant store.
const WRITES_MAX: usize = 3;
/// Pieces of one body that are fetched ahead of the one that is being read.
const READS_AHEAD: usize = 2;
/// One line of an index: a SHA-256 and its line break.
const LINE_BYTES: usize = 65;
/// The longest body, 16 GiB: an index is no longer than a piece.
pub const BODY_BYTES_MAX: u64 = (PIECE_BYTES / LINE_BYTES * PIECE_BYTES) as u64;

/// The bytes of a body. They have been checked when they come out; after an error nothing follows.
pub type BodyStream = BoxStream<'static, Result<Bytes, Error>>;

/// A body on its way into the store. One that is dropped unfinished leaves pieces that nobody refers to:
/// another body may have the same ones, so they go when they are old.
#[derive(Debug)]
pub struct Upload {
    store: Store,
    /// What is not yet enough for a piece.
    rest: BytesMut,
    pieces: Vec<BodySha>,
    whole: Sha256,
    len: u64,
    writes: JoinSet<Result<(), Error>>,
}

impl Store {
    /// Begins to keep a body.
    pub fn upload(&self) -> Upload {
        Upload {
            store: self.clone(),
            rest: BytesMut::new(),
            pieces: Vec::new(),
            whole: Sha256::new(),
            len: 0,
            writes: JoinSet::new(),
        }
    }

    /// Opens a body: its first piece has been read and checked when this returns.
    ///
    /// # Errors
    /// When the store cannot be read, or the body is not there or damaged.
    pub async fn body(&self, stored: &StoredBody) -> Result<BodyStream, Error> {
        let pieces = self.pieces(stored).await?;
        let store = self.clone();
        let fetched = stream::iter(pieces).map(move |sha| {
            let store = store.clone();
            async move { Ok((store.fetch(&sha).await?, sha)) }
        });
        let begin = Reading {
            fetched: fetched.buffered(READS_AHEAD).boxed(),
            whole: Sha256::new(),
            left: stored.len,
            stored: stored.clone(),
        };
        let mut checked = stream::try_unfold(begin, Reading::next).boxed();
        let first = checked.try_next().await?;
        Ok(stream::iter(first.map(Ok)).chain(checked).boxed())
    }

    /// One object of a body; `None` when there is none. Reading the body it belongs to checks it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn body_object(&self, sha: &BodySha) -> Result<Option<Bytes>, Error> {
        match self.fetch(sha).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::BodyAbsent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps one object of a body for somebody who has no store.
    ///
    /// # Errors
    /// When the bytes are not those that it is named for, or the store cannot be written.
    pub async fn put_body_object(&self, sha: BodySha, bytes: Bytes) -> Result<(), Error> {
        let (actual, _whole) = hash(bytes.clone(), Sha256::new()).await?;
        if actual == sha { self.keep(sha, bytes).await } else { Err(Error::BodyDamaged(sha)) }
    }

    async fn pieces(&self, stored: &StoredBody) -> Result<Vec<BodySha>, Error> {
        if stored.object == stored.sha256 {
            return Ok(vec![stored.object.clone()]);
        }
        let damaged = || Error::BodyDamaged(stored.object.clone());
        let index = self.fetch(&stored.object).await?;
        if BodySha::of(&index) != stored.object {
            return Err(damaged());
        }
        let index = std::str::from_utf8(&index).map_err(|_not_text| damaged())?;
        index.lines().map(BodySha::parse).collect::<Result<_, _>>().map_err(|_not_a_sha| damaged())
    }

    /// One object, not yet held to its name.
    async fn fetch(&self, sha: &BodySha) -> Result<Bytes, Error> {
        let failed = |source| unavailable(format!("fetch body {sha}"), source);
        let object: GetResult = match self.objects.get(&key(sha)).await {
            Err(object_store::Error::NotFound { .. }) => return Err(Error::BodyAbsent(sha.clone())),
            object => object.map_err(failed)?,
        };
        if object.meta.size > PIECE_BYTES as u64 {
            return Err(Error::BodyDamaged(sha.clone()));
        }
        object.bytes().await.map_err(failed)
    }

    async fn keep(&self, sha: BodySha, bytes: Bytes) -> Result<(), Error> {
        // One that is there already is written again: its age is what keeps it.
        let kept = self.objects.put(&key(&sha), bytes.into()).await;
        kept.map(drop).map_err(|source| unavailable(format!("keep body {sha}"), source))
    }
}

impl Upload {
    /// Adds bytes; waits while the store is slower than they come.
    ///
    /// # Errors
    /// When the store cannot be written, or the body is over [`BODY_BYTES_MAX`].
    pub async fn push(&mut self, mut data: &[u8]) -> Result<(), Error> {
        self.len += data.len() as u64;
        if self.len > BODY_BYTES_MAX {
            return Err(Error::BodyTooLong);
        }
        while !data.is_empty() {
            if self.rest.capacity() == 0 {
                self.rest.reserve(PIECE_BYTES);
            }
            let (now, later) = data.split_at(data.len().min(PIECE_BYTES - self.rest.len()));
            self.rest.extend_from_slice(now);
            if self.rest.len() == PIECE_BYTES {
                self.end_piece().await?;
            }
            data = later;
        }
        Ok(())
    }

    /// How many bytes have been added.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether none have.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Ends the body. Once this returns, all of it is in the store.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn finish(mut self) -> Result<StoredBody, Error> {
        if !self.rest.is_empty() || self.pieces.is_empty() {
            self.end_piece().await?;
        }
        let object = match &*self.pieces {
            [only] => only.clone(),
            pieces => {
                let index = Bytes::from(pieces.iter().map(|sha| format!("{sha}\n")).collect::<String>());
                let sha = BodySha::of(&index);
                self.write(sha.clone(), index).await?;
                sha
            }
        };
        self.wait_for_writes(0).await?;
        Ok(StoredBody { object, sha256: BodySha::from_digest(self.whole), len: self.len })
    }

    async fn end_piece(&mut self) -> Result<(), Error> {
        let piece = std::mem::take(&mut self.rest).freeze();
        let (sha, whole) = hash(piece.clone(), self.whole.clone()).await?;
        self.whole = whole;
        self.pieces.push(sha.clone());
        self.write(sha, piece).await
    }

    async fn write(&mut self, sha: BodySha, bytes: Bytes) -> Result<(), Error> {
        self.wait_for_writes(WRITES_MAX - 1).await?;
        let store = self.store.clone();
        self.writes.spawn(async move { store.keep(sha, bytes).await });
        Ok(())
    }

    /// Waits until no more than `max` writes are under way.
    async fn wait_for_writes(&mut self, max: usize) -> Result<(), Error> {
        while self.writes.len() > max {
            if let Some(written) = self.writes.join_next().await {
                written.unwrap_or_else(|source| Err(ended(source)))?;
            }
        }
        Ok(())
    }
}

/// A body that is being read.
struct Reading {
    fetched: BoxStream<'static, Result<(Bytes, BodySha), Error>>,
    whole: Sha256,
    left: u64,
    stored: StoredBody,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        let Some((piece, expected)) = self.fetched.try_next().await? else {
            return if self.left == 0 { Ok(None) } else { Err(Error::BodyDamaged(self.stored.object)) };
        };
        let (sha, whole) = hash(piece.clone(), self.whole).await?;
        self.whole = whole;
        match self.left.checked_sub(piece.len() as u64) {
            Some(left) if sha == expected => self.left = left,
            _ => return Err(Error::BodyDamaged(expected)),
        }
        // Who has been told the length looks for nothing behind the last byte.
        if self.left == 0 && BodySha::from_digest(self.whole.clone()) != self.stored.sha256 {
            return Err(Error::BodyDamaged(self.stored.object));
        }
        Ok(Some((piece, self)))
    }
}

/// The SHA-256 of a piece, and that of the whole including it. A piece takes milliseconds, in which an
/// event loop has better things to do.
async fn hash(piece: Bytes, mut whole: Sha256) -> Result<(BodySha, Sha256), Error> {
    let hashed = spawn_blocking(move || {
        whole.update(&piece);
        (BodySha::of(&piece), whole)
    });
    hashed.await.map_err(ended)
}

pub(super) fn ended(source: tokio::task::JoinError) -> Error {
    unavailable("work on a body".to_owned(), object_store::Error::JoinError { source })
}

fn key(sha: &BodySha) -> Key {
    Key::from_iter([BodySha::FOLDER, sha.as_str()])
}

#[cfg(test)]
mod tests;
