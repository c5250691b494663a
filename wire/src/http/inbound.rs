//! `Inbound`: a client's stream, with its framing watched and its pace bounded.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::Limits;
use super::countdown::Countdown;
use super::framing::Framing;

/// What hyper reads from and writes to. It borrows the stream, so that whoever serves the connection
/// can still speak to the client when hyper has given up.
pub(super) struct Inbound<'a> {
    stream: &'a mut TcpStream,
    /// Shared with whoever answers, which is the same task: the lock is never waited for.
    framing: Arc<Mutex<Framing>>,
    head: Countdown,
    write: Countdown,
}

impl<'a> Inbound<'a> {
    pub(super) fn new(stream: &'a mut TcpStream, framing: Arc<Mutex<Framing>>, limits: &Limits) -> Self {
        // The first head is due at once; later ones from their first byte on, for hyper has its own
        // timer for the idle time in between.
        let mut head = Countdown::new(limits.head_timeout);
        head.start();
        Self { stream, framing, head, write: Countdown::new(limits.body_idle_timeout) }
    }

    fn watch(&mut self, bytes: &[u8]) {
        let mut framing = self.framing.lock().unwrap_or_else(PoisonError::into_inner);
        framing.feed(bytes);
        if framing.is_head_open() {
            self.head.start();
        } else {
            self.head.stop();
        }
    }

    /// A client that does not take its response holds memory: it has as long as one that sends.
    fn pace<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write.stop();
            return written;
        }
        self.write.start();
        if self.write.is_over(cx) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }
}

impl AsyncRead for Inbound<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut *self.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                self.watch(buf.filled().get(before..).unwrap_or_default());
                Poll::Ready(Ok(()))
            }
            Poll::Pending if self.head.is_over(cx) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            pending_or_failed => pending_or_failed,
        }
    }
}

impl AsyncWrite for Inbound<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.stream).poll_write(cx, buf);
        self.pace(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.stream).poll_write_vectored(cx, bufs);
        self.pace(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}
