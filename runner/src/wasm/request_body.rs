//! `RequestBody`: the body of a request as a guest reads it.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::Error;
use wire::store::{self, BodyStream};

/// The body of a request as a guest reads it.
pub(crate) enum RequestBody {
    Whole(Full<Bytes>),
    /// One that comes out of the store while it is read.
    Stored {
        stream: BodyStream,
        left: u64,
        loss: Loss,
    },
}

/// Whether a body broke off under the guest: what the guest makes of it is then worth nothing. Cheap to
/// clone; the clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loss(Arc<OnceLock<store::Error>>);

impl RequestBody {
    pub(crate) fn stored(stream: BodyStream, len: u64) -> Self {
        Self::Stored { stream, left: len, loss: Loss::default() }
    }

    /// What will tell whether it broke off.
    pub(super) fn loss(&self) -> Option<Loss> {
        match self {
            Self::Whole(_) => None,
            Self::Stored { loss, .. } => Some(loss.clone()),
        }
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

impl Loss {
    pub(super) fn error(&self) -> Option<&store::Error> {
        self.0.get()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut *self {
            Self::Whole(whole) => Pin::new(whole).poll_frame(cx).map_err(|never| match never {}),
            Self::Stored { stream, left, loss } => stream.as_mut().poll_next(cx).map(|data| {
                Some(match data? {
                    Ok(data) => {
                        *left = left.saturating_sub(data.len() as u64);
                        Ok(Frame::data(data))
                    }
                    Err(error) => {
                        // A stream ends at its first error.
                        let _ = loss.0.set(error);
                        Err(Error::InternalError(Some("the request's body broke off".to_owned())))
                    }
                })
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Stored { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Stored { left, .. } => SizeHint::with_exact(*left),
        }
    }
}
