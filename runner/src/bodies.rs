//! `Bodies`: large bodies between the store and a call.

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use wire::store;
use wire::{ProblemKind, Store, StoredBody};

use crate::Config;
use crate::wasm::{Admits, Outlet, RequestBody};

/// Large bodies between the store and a call. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    store: Store,
    held_max: u64,
    stored_max: u64,
}

/// Why a body cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the document describes the body, so it may not be over {0} bytes")]
    TooLong(u64),
    #[error("the request's body cannot be read; the call was not executed")]
    NotRead(#[source] store::Error),
    #[error("the Func's response could not be kept")]
    NotKept(#[source] store::Error),
}

impl Error {
    pub(crate) fn kind(&self) -> ProblemKind {
        match self {
            Self::TooLong(_) => ProblemKind::BodyTooLarge,
            Self::NotRead(_) | Self::NotKept(_) => ProblemKind::Internal,
        }
    }
}

impl Bodies {
    pub(crate) fn new(config: &Config, store: Store) -> Self {
        Self { store, held_max: config.request_bytes_max, stored_max: config.stored_bytes_max }
    }

    /// The same with another store.
    pub(crate) fn over(&self, store: Store) -> Self {
        Self { store, ..self.clone() }
    }

    /// All of a request's body, for a check.
    pub(crate) async fn read(&self, stored: &StoredBody) -> Result<Bytes, Error> {
        if stored.len > self.held_max {
            return Err(Error::TooLong(self.held_max));
        }
        let mut stream = self.store.body(stored).await.map_err(Error::NotRead)?;
        let mut whole = BytesMut::new();
        while let Some(piece) = stream.try_next().await.map_err(Error::NotRead)? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// A request's body, to be read by the Func as it comes.
    pub(crate) async fn open(&self, stored: &StoredBody) -> Result<RequestBody, Error> {
        let stream = self.store.body(stored).await.map_err(Error::NotRead)?;
        Ok(RequestBody::stored(stream, stored.len))
    }

    /// The way for a response's body that may pass unread.
    pub(crate) fn outlet<'a>(&'a self, admits: &'a Admits<'a>) -> Outlet<'a> {
        Outlet { store: &self.store, bytes_max: self.stored_max, admits }
    }

    /// Keeps a response's body that a message cannot carry.
    pub(crate) async fn keep(&self, body: &[u8]) -> Result<StoredBody, Error> {
        let mut upload = self.store.upload();
        upload.push(body).await.map_err(Error::NotKept)?;
        upload.finish().await.map_err(Error::NotKept)
    }
}
