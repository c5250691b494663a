//! `Bodies`: large bodies on their way between clients and the store.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tracing::warn;
use wire::http::{Begun, BodyError, BodyReader, ResponseBody};
use wire::store::{self, Upload};
use wire::{Body, Chain, ProblemKind, RequestId, Store, StoredBody};

use crate::Config;

/// Large bodies on their way between clients and the store.
pub(crate) struct Bodies {
    store: Store,
    /// Each transfer holds some pieces in memory.
    places: Arc<Semaphore>,
    /// How long a client waits for a place, or for the store: as long as we wait for a client.
    patience: Duration,
}

/// Why a body did not get through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Client(#[from] BodyError),
    #[error("too many large bodies are under way")]
    Places,
    #[error("the request's body cannot be kept; the call was not executed")]
    NotKept(#[source] store::Error),
    #[error("the call was executed; its response's body cannot be read")]
    NotRead(#[source] store::Error),
}

impl Error {
    /// How a client is told.
    pub(crate) fn kind(&self) -> ProblemKind {
        match self {
            Self::Client(error) => error.kind(),
            Self::NotKept(store::Error::BodyTooLong) => ProblemKind::BodyTooLarge,
            Self::Places | Self::NotKept(_) => ProblemKind::Overloaded,
            Self::NotRead(_) => ProblemKind::OutcomeUnknown,
        }
    }
}

impl Bodies {
    pub(crate) fn new(config: &Config, store: Store) -> Self {
        let places = Arc::new(Semaphore::new(config.transfers_max));
        Self { store, places, patience: config.limits.body_idle_timeout }
    }

    /// The body of a request: itself if it is short, otherwise where it was kept while it came.
    pub(crate) async fn take(&self, mut request: BodyReader<'_>) -> Result<Body, Error> {
        match request.begin(Body::INLINE_BYTES_MAX as u64).await? {
            Begun::Whole(bytes) => Ok(Body::Inline(bytes)),
            // Boxed: what an upload holds would otherwise be in every connection's task.
            Begun::Part(bytes) => Box::pin(self.keep(&bytes, request)).await.map(Body::Stored),
        }
    }

    async fn keep(&self, begun: &[u8], mut rest: BodyReader<'_>) -> Result<StoredBody, Error> {
        let _place = self.place().await?;
        let mut upload: Upload = self.store.upload();
        self.in_time(upload.push(begun)).await.map_err(Error::NotKept)?;
        while let Some(data) = rest.next().await? {
            self.in_time(upload.push(&data)).await.map_err(Error::NotKept)?;
        }
        self.in_time(upload.finish()).await.map_err(Error::NotKept)
    }

    /// The body of a response, from the store as fast as the client takes it.
    pub(crate) async fn give(&self, stored: &StoredBody, id: &RequestId) -> Result<ResponseBody, Error> {
        let place = self.place().await?;
        let stream = self.in_time(self.store.body(stored)).await.map_err(Error::NotRead)?;
        let id = id.clone();
        let held = stream.inspect(move |data| {
            let _place = &place;
            if let Err(error) = data {
                warn!(request_id = %id, error = %Chain(error), "response broken off");
            }
        });
        Ok(ResponseBody::stored(held.boxed(), stored.len))
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Error> {
        let place = timeout(self.patience, self.places.clone().acquire_owned()).await;
        // It is never closed.
        place.ok().and_then(Result::ok).ok_or(Error::Places)
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, store::Error>>,
    ) -> Result<T, store::Error> {
        timeout(self.patience, work).await.unwrap_or(Err(store::Error::Slow(self.patience)))
    }
}
