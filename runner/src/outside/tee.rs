//! `Tee`: a body that is noted while it passes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};
use wire::capture::HttpOutcome;

use super::Tape;
use super::error_code::{self, UNFINISHED};

/// What a body is said to have ended with of which not all was kept.
const NOT_KEPT: &str = "internal-error: the rest of the body was not kept";

/// A body that is noted while it passes.
pub(super) struct Tee {
    pub(super) body: WasiBody,
    pub(super) side: Side,
    pub(super) tape: Tape,
    /// Where the request is noted.
    pub(super) entry: Option<usize>,
}

/// Whose body it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

impl Tee {
    fn keep(&self, data: &Bytes) {
        if self.tape.has_room(data.len()) {
            self.tape.amend(self.entry, |exchanging, _now_us| match self.side {
                Side::Request => exchanging.sent.extend_from_slice(data),
                Side::Response => exchanging.received.extend_from_slice(data),
            });
        } else {
            self.cut(NOT_KEPT);
        }
    }

    /// Notes why what is kept of a response's body is not all of it.
    fn cut(&self, why: &str) {
        self.amend_cut(|cut| {
            if cut.as_deref().is_none_or(|known| known == UNFINISHED) {
                *cut = Some(why.to_owned());
            }
        });
    }

    /// Notes that a response's body came to its end.
    fn end(&self) {
        self.amend_cut(|cut| drop(cut.take_if(|why| why == UNFINISHED)));
    }

    fn amend_cut(&self, amend: impl FnOnce(&mut Option<String>)) {
        self.tape.amend(self.entry, |exchanging, _now_us| {
            if let (Side::Response, HttpOutcome::Response { cut, .. }) =
                (self.side, &mut exchanging.exchange.outcome)
            {
                amend(cut);
            }
        });
    }
}

impl Body for Tee {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => frame.data_ref().into_iter().for_each(|data| self.keep(data)),
            Some(Err(error)) => self.cut(&error_code::name(error)),
            None => self.end(),
        }
        // Few who read the last byte of a body ask whether there are more.
        if self.body.is_end_stream() {
            self.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
