//! The bounded HTTP/1.1 server that the frontend and the admin API share.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A request as it arrives, its body still on the way.
pub type Request = http::Request<Incoming>;

/// A response, whole or streamed.
pub type Response = http::Response<UnsyncBoxBody<Bytes, Infallible>>;

/// What a client may take of us.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections; further ones wait to be accepted.
    pub connections_max: usize,
    /// How long a head may take to arrive.
    pub head_timeout: Duration,
    /// The size of a head.
    pub head_bytes_max: usize,
    /// The number of headers.
    pub headers_max: usize,
    /// The size of a body.
    pub body_bytes_max: u64,
    /// How long a body may go without progress.
    pub body_idle_timeout: Duration,
    /// How long open connections have to finish once the server is told to stop.
    pub drain_timeout: Duration,
}

/// Answers requests.
pub trait Handler: Clone + Send + 'static {
    /// Answers one request from `client`.
    fn handle(&self, request: Request, client: SocketAddr) -> impl Future<Output = Response> + Send;
}

/// Serves until `shutdown`, then drains.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve<H: Handler>(
    _listener: TcpListener,
    _limits: Limits,
    _handler: H,
    _shutdown: CancellationToken,
) -> std::io::Result<()> {
    unimplemented!()
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is over the limit.
    #[error("body is over {0} bytes")]
    TooLarge(u64),
    /// It made no progress.
    #[error("body made no progress for {0:?}")]
    TooSlow(Duration),
    /// The client broke off or broke the framing.
    #[error("body broke off")]
    Broken(#[source] hyper::Error),
}

/// Reads a whole body within the limits.
///
/// # Errors
/// When it is too large, too slow, or broken.
pub async fn read_body(_body: Incoming, _limits: &Limits) -> Result<Bytes, BodyError> {
    unimplemented!()
}

/// A response with this body.
pub fn full(_status: u16, _headers: &[(String, String)], _body: Bytes) -> Response {
    unimplemented!()
}
