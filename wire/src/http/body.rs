//! `ResponseBody`: the bytes of a response, whole or line by line.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// Lines that a slow reader may leave unread before the sender has to wait.
const LINES_MAX: usize = 64;

/// The body of a response.
#[derive(Debug)]
pub struct ResponseBody(Kind);

#[derive(Debug)]
enum Kind {
    Full(Bytes),
    Lines(mpsc::Receiver<Bytes>),
}

/// Writes the lines of a streamed response; dropping it ends the response.
#[derive(Clone, Debug)]
pub struct Lines(mpsc::Sender<Bytes>);

impl ResponseBody {
    pub(super) fn full(bytes: Bytes) -> Self {
        Self(Kind::Full(bytes))
    }

    pub(super) fn lines() -> (Lines, Self) {
        let (sender, receiver) = mpsc::channel(LINES_MAX);
        (Lines(sender), Self(Kind::Lines(receiver)))
    }
}

impl Lines {
    /// Sends one encoded line (see [`crate::encode_line`]); `false` once the client has left.
    pub async fn send(&self, line: Bytes) -> bool {
        self.0.send(line).await.is_ok()
    }

    /// Waits until the client has left. Cancel-safe.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Kind::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(mem::take(bytes))))),
            Kind::Lines(lines) => lines.poll_recv(cx).map(|line| line.map(|line| Ok(Frame::data(line)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Kind::Full(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Lines(_) => SizeHint::default(),
        }
    }
}
