//! Accepts connections and serves each in a task of its own, within the limits.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::header::{CONNECTION, HeaderValue};
use futures_util::FutureExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, warn};

use super::framing::Framing;
use super::inbound::Inbound;
use super::{Handler, Limits, Request, Response, problem, request_id};
use crate::{Problem, ProblemKind, RequestId};

/// Out of file descriptors: some come back when connections end, which takes about this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long we read on after our last response, so that a client that is still sending gets to see it
/// instead of a reset.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);
/// hyper takes heads up to twice our limit, so that those over it still get a readable refusal.
const BUF_FACTOR: usize = 2;
/// The least that hyper accepts.
const BUF_BYTES_MIN: usize = 8192;

/// Serves until `shutdown`, then drains: open connections finish the request that they are at and are
/// cut after the drain timeout. A handler that panics ends its connection, nothing else.
pub async fn serve<H: Handler>(
    listener: TcpListener,
    limits: Limits,
    handler: H,
    shutdown: CancellationToken,
) {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(limits.connections_max));
    let server = Arc::new(Server { http: http(&limits), limits, handler, shutdown });
    while let Some(permit) = server.unless_shut_down(room.clone().acquire_owned()).await {
        let Some((stream, client)) = server.unless_shut_down(accept(&listener)).await else { break };
        let server = server.clone();
        connections.spawn(async move {
            let served = AssertUnwindSafe(server.connection(stream, client)).catch_unwind().await;
            if served.is_err() {
                error!(%client, "handler panicked");
            }
            drop(permit);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

struct Server<H> {
    http: http1::Builder,
    limits: Limits,
    handler: H,
    shutdown: CancellationToken,
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.idle_timeout)
        .max_buf_size((limits.head_bytes_max * BUF_FACTOR).max(BUF_BYTES_MIN));
    http
}

/// The next connection. A listener does not fail for good, only for the moment.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_clients(&error) => debug!(%error, "client left before it was accepted"),
            Err(error) => {
                warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

impl<H: Handler> Server<H> {
    async fn unless_shut_down<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.shutdown.run_until_cancelled(future).await
    }

    async fn connection(&self, mut stream: TcpStream, client: SocketAddr) {
        // Small responses must not wait for more; a stream that is already broken will say so when read.
        let _ = stream.set_nodelay(true);
        let framing = Arc::new(Mutex::new(Framing::new(&self.limits)));
        let served = self.http(&mut stream, client, &framing).await;
        if let Err(error) = served {
            debug!(%client, %error, "connection failed");
            if lock(&framing).is_head_open() && is_timeout(&error) {
                refuse_slow_head(&mut stream, H::COMPONENT).await;
            }
        }
        linger(&mut stream).await;
    }

    async fn http(
        &self,
        stream: &mut TcpStream,
        client: SocketAddr,
        framing: &Arc<Mutex<Framing>>,
    ) -> Result<(), hyper::Error> {
        let inbound = Inbound::new(stream, framing.clone(), &self.limits);
        let service = service_fn(|request| self.answer(request, client, framing));
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(inbound), service));
        if let Some(served) = self.unless_shut_down(connection.as_mut()).await {
            return served;
        }
        connection.as_mut().graceful_shutdown();
        timeout(self.limits.drain_timeout, connection).await.unwrap_or_else(|_elapsed| {
            warn!(%client, "connection cut: it did not drain in time");
            Ok(())
        })
    }

    async fn answer(
        &self,
        request: Request,
        client: SocketAddr,
        framing: &Mutex<Framing>,
    ) -> Result<Response, Infallible> {
        let (number, refusal) = lock(framing).next_request();
        let mut response = match refusal {
            None => self.handler.handle(request, client).await,
            Some(refusal) => {
                let (kind, detail) = refusal.problem();
                problem(&Problem::new(kind, detail, request_id(request.headers()), H::COMPONENT))
            }
        };
        // Nothing can be told apart behind a body that was not read to its end.
        if lock(framing).is_body_open(number) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

fn lock(framing: &Mutex<Framing>) -> std::sync::MutexGuard<'_, Framing> {
    framing.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_timeout(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

/// hyper has given up without a word; the client gets to know why.
async fn refuse_slow_head(stream: &mut TcpStream, component: crate::Component) {
    let id = RequestId::generate();
    let problem = Problem::new(ProblemKind::RequestTimeout, "the head did not arrive in time", id, component);
    let body = String::from_utf8_lossy(&problem.to_json()).into_owned();
    let response = format!(
        "HTTP/1.1 408 Request Timeout\r\ncontent-type: {}\r\nx-request-id: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        crate::PROBLEM_MEDIA_TYPE,
        problem.request_id,
        body.len(),
    );
    // A courtesy: the kernel's buffer is empty, so it is taken at once or the client is gone.
    let _ = stream.try_write(response.as_bytes());
}

/// Closing while the client still sends would reset the connection and take our response with it.
async fn linger(stream: &mut TcpStream) {
    let mut ignored = [0; 1024];
    let until_closed = async {
        // What fails here is a connection that is gone, which is all that we want.
        let _ = stream.shutdown().await;
        while matches!(stream.read(&mut ignored).await, Ok(1..)) {}
    };
    let _ = timeout(LINGER_TIMEOUT, until_closed).await;
}
