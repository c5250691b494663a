//! `ResponseBody`: the bytes of a response, whole, line by line, or out of the store.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::store::{self, BodyStream};

/// Lines that a slow reader may leave unread before the sender has to wait.
const LINES_MAX: usize = 64;

/// The body of a response.
pub struct ResponseBody(Kind);

enum Kind {
    Full(Bytes),
    Lines(mpsc::Receiver<Bytes>),
    Stored { stream: BodyStream, left: u64 },
    Streamed(BodyStream),
}

/// Writes the lines of a streamed response; dropping it ends the response.
#[derive(Clone, Debug)]
pub struct Lines(mpsc::Sender<Bytes>);

impl ResponseBody {
    /// A body of this length. When the stream fails, the connection breaks off: the head is out already,
    /// and it is the only way to tell that something is missing.
    pub fn stored(stream: BodyStream, len: u64) -> Self {
        Self(Kind::Stored { stream, left: len })
    }

    /// A body whose length nobody knows yet. When the stream fails, the connection breaks off.
    pub fn streamed(stream: BodyStream) -> Self {
        Self(Kind::Streamed(stream))
    }

    /// A body that is there whole.
    pub fn full(bytes: Bytes) -> Self {
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
    type Error = store::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, store::Error>>> {
        match &mut self.0 {
            Kind::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(mem::take(bytes))))),
            Kind::Lines(lines) => lines.poll_recv(cx).map(|line| line.map(|line| Ok(Frame::data(line)))),
            Kind::Stored { stream, left } => stream.as_mut().poll_next(cx).map(|data| {
                let data = data?;
                if let Ok(data) = &data {
                    *left = left.saturating_sub(data.len() as u64);
                }
                Some(data.map(Frame::data))
            }),
            Kind::Streamed(stream) => {
                stream.as_mut().poll_next(cx).map(|data| data.map(|data| data.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Lines(_) | Kind::Streamed(_) => false,
            Kind::Stored { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Lines(_) | Kind::Streamed(_) => SizeHint::default(),
            Kind::Stored { left, .. } => SizeHint::with_exact(*left),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseBody")
    }
}
