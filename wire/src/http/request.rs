//! What every handler does with a request: find its id, read its body within the limits.

use std::time::Duration;

use ::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout};

use super::{Limits, X_REQUEST_ID};
use crate::{ProblemKind, RequestId};

/// Slower than any modem, faster than a client that only wants to hold a connection.
const BODY_BYTES_PER_SECOND_MIN: u64 = 1024;
/// What is set aside before the first bytes are in: a promised length costs a client nothing.
const BODY_BYTES_AHEAD: u64 = 64 * 1024;

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is over the limit.
    #[error("body is over {0} bytes")]
    TooLarge(u64),
    /// It made too little progress.
    #[error("body came too slowly for {0:?}")]
    TooSlow(Duration),
    /// The client broke off or broke the framing.
    #[error("body broke off")]
    Broken(#[source] hyper::Error),
}

impl BodyError {
    /// How a client is told.
    pub fn kind(&self) -> ProblemKind {
        match self {
            Self::TooLarge(_) => ProblemKind::BodyTooLarge,
            Self::TooSlow(_) => ProblemKind::RequestTimeout,
            Self::Broken(_) => ProblemKind::InvalidRequest,
        }
    }
}

/// The id that a client gave its request; a new one when there is none or it is not valid.
pub fn request_id(headers: &HeaderMap) -> RequestId {
    headers
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| RequestId::parse(text).ok())
        .unwrap_or_else(RequestId::generate)
}

/// Reads a whole body within the limits. A promised length over the limit is refused unread.
///
/// # Errors
/// When it is too large, too slow, or broken.
pub async fn read_body(mut body: Incoming, limits: &Limits) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let promised = body.size_hint().lower();
    check_size(promised, limits)?;
    let begin = Instant::now();
    let mut whole = Whole::default();
    while let Some(data) = next_data(&mut body, limits, begin).await? {
        whole.push(data, promised);
        check_size(whole.len(), limits)?;
        check_pace(whole.len(), limits, begin.elapsed())?;
    }
    Ok(whole.into_bytes())
}

async fn next_data(body: &mut Incoming, limits: &Limits, begin: Instant) -> Result<Option<Bytes>, BodyError> {
    match timeout(limits.body_idle_timeout, body.frame()).await {
        Err(_elapsed) => Err(BodyError::TooSlow(begin.elapsed())),
        Ok(None) => Ok(None),
        Ok(Some(Err(error))) => Err(BodyError::Broken(error)),
        // Trailers carry nothing that a Func could be given.
        Ok(Some(Ok(frame))) => Ok(Some(frame.into_data().unwrap_or_default())),
    }
}

fn check_size(len: u64, limits: &Limits) -> Result<(), BodyError> {
    if len > limits.body_bytes_max { Err(BodyError::TooLarge(limits.body_bytes_max)) } else { Ok(()) }
}

/// One idle timeout is for getting started; from then on bytes have to come at the least rate.
fn check_pace(len: u64, limits: &Limits, elapsed: Duration) -> Result<(), BodyError> {
    let due = elapsed.saturating_sub(limits.body_idle_timeout).as_secs() * BODY_BYTES_PER_SECOND_MIN;
    if len < due { Err(BodyError::TooSlow(elapsed)) } else { Ok(()) }
}

/// A body so far. Most come in one piece, which is then not copied.
#[derive(Default)]
struct Whole {
    first: Bytes,
    all: BytesMut,
}

impl Whole {
    fn push(&mut self, data: Bytes, promised: u64) {
        if self.first.is_empty() && self.all.is_empty() {
            self.first = data;
            return;
        }
        if self.all.is_empty() {
            self.all.reserve(usize::try_from(promised.min(BODY_BYTES_AHEAD)).unwrap_or_default());
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&data);
    }

    fn len(&self) -> u64 {
        (self.first.len() + self.all.len()) as u64
    }

    fn into_bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}
