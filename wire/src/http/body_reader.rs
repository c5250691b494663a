//! `BodyReader`: a request's body as it comes, within the limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout};

use super::Limits;
use crate::ProblemKind;

/// Slower than any modem, faster than a client that only wants to hold a connection.
const BODY_BYTES_PER_SECOND_MIN: u64 = 1024;
/// What is set aside before the first bytes are in: a promised length costs a client nothing.
const BODY_BYTES_AHEAD: u64 = 64 * 1024;

/// A body that is being read. What is not asked for, the client keeps.
#[derive(Debug)]
pub struct BodyReader<'a> {
    body: Incoming,
    limits: &'a Limits,
    promised: u64,
    len: u64,
    /// How long the client was waited for; what became of its bytes is not its fault.
    waited: Duration,
}

/// The beginning of a body.
#[derive(Debug)]
pub enum Begun {
    /// All of it.
    Whole(Bytes),
    /// More than was asked for, and the rest is to come.
    Part(Bytes),
}

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

/// Reads a whole body within the limits. A promised length over the limit is refused unread.
///
/// # Errors
/// When it is too large, too slow, or broken.
pub async fn read_body(body: Incoming, limits: &Limits) -> Result<Bytes, BodyError> {
    match BodyReader::new(body, limits)?.begin(u64::MAX).await? {
        Begun::Whole(bytes) | Begun::Part(bytes) => Ok(bytes),
    }
}

impl<'a> BodyReader<'a> {
    /// Reads nothing yet.
    ///
    /// # Errors
    /// When the client promises more than the limit.
    pub fn new(body: Incoming, limits: &'a Limits) -> Result<Self, BodyError> {
        let promised = body.size_hint().lower();
        let reader = Self { body, limits, promised, len: 0, waited: Duration::ZERO };
        reader.check_size(promised)?;
        Ok(reader)
    }

    /// Reads the body if it is at most this long; otherwise no more of it than shows that.
    ///
    /// # Errors
    /// When it is too large, too slow, or broken.
    pub async fn begin(&mut self, bytes_max: u64) -> Result<Begun, BodyError> {
        if self.promised > bytes_max {
            return Ok(Begun::Part(Bytes::new()));
        }
        let mut whole = Whole::default();
        while let Some(data) = self.next().await? {
            whole.push(data, self.promised);
            if self.len > bytes_max {
                return Ok(Begun::Part(whole.into_bytes()));
            }
        }
        Ok(Begun::Whole(whole.into_bytes()))
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the body is too large, too slow, or broken.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        if self.body.is_end_stream() {
            return Ok(None);
        }
        let asked = Instant::now();
        let frame = timeout(self.limits.body_idle_timeout, self.body.frame()).await;
        self.waited += asked.elapsed();
        let data = match frame {
            Err(_elapsed) => return Err(BodyError::TooSlow(self.waited)),
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => return Err(BodyError::Broken(error)),
            // Trailers carry nothing that a Func could be given.
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        };
        self.len += data.len() as u64;
        self.check_size(self.len)?;
        self.check_pace()?;
        Ok(Some(data))
    }

    fn check_size(&self, len: u64) -> Result<(), BodyError> {
        let max = self.limits.body_bytes_max;
        if len > max { Err(BodyError::TooLarge(max)) } else { Ok(()) }
    }

    /// One idle timeout is for getting started; from then on bytes have to come at the least rate.
    fn check_pace(&self) -> Result<(), BodyError> {
        let counted = self.waited.saturating_sub(self.limits.body_idle_timeout);
        if self.len < counted.as_secs() * BODY_BYTES_PER_SECOND_MIN {
            return Err(BodyError::TooSlow(self.waited));
        }
        Ok(())
    }
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

    fn into_bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}
