//! `Exchange`: one request that was admitted, and its response. Redirects are the caller's own affair:
//! following one is a new request, which is admitted or not.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::header::HOST;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::address::is_public;
use super::{Target, Tls};

/// What drives the connection of a response while that is read. Dropping it ends the connection.
pub type Driver = AbortOnDropHandle<Result<(), hyper::Error>>;

/// One request that was admitted.
pub struct Exchange<B> {
    /// Where to.
    pub target: Target,
    /// How to trust whoever is there.
    pub tls: Tls,
    /// The request, with a host header.
    pub request: Request<B>,
    /// How long the way to the other side may take, name and handshake included.
    pub connect_timeout: Duration,
    /// How long the other side may think.
    pub response_timeout: Duration,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It names no host, or none that TLS can check.
    #[error("the request's target cannot be used")]
    Target,
    /// Its name cannot be resolved.
    #[error("resolve the host")]
    Unresolved(#[source] io::Error),
    /// Its name stands for nothing.
    #[error("the host has no address")]
    NoAddress,
    /// Its name stands for addresses of a private network alone.
    #[error("the host has no public address")]
    NotPublic,
    /// The way there took too long.
    #[error("the connection took too long")]
    ConnectTimeout,
    /// Nobody is there.
    #[error("connect")]
    Connect(#[source] io::Error),
    /// There is somebody, but not who it should be.
    #[error("agree on TLS")]
    Tls(#[source] io::Error),
    /// It thought for too long.
    #[error("the response took too long")]
    ResponseTimeout,
    /// It does not speak HTTP, or broke off.
    #[error("exchange a request for a response")]
    Http(#[from] hyper::Error),
}

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

impl<B> Exchange<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Sends the request and waits for the head of the response.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn run(self) -> Result<(Response<Incoming>, Driver), Error> {
        let Self { target, tls, request, connect_timeout, response_timeout } = self;
        let connecting = timeout(connect_timeout, connect(&target, tls));
        let transport = connecting.await.map_err(|_elapsed| Error::ConnectTimeout)??;
        let (mut sender, connection) = http1::handshake(TokioIo::new(transport)).await?;
        // Given up together with whoever waits for the response.
        let driver = AbortOnDropHandle::new(tokio::spawn(connection));
        let sending = timeout(response_timeout, sender.send_request(origin_form(request)?));
        let response = sending.await.map_err(|_elapsed| Error::ResponseTimeout)??;
        Ok((response, driver))
    }
}

async fn connect(target: &Target, tls: Tls) -> Result<Box<dyn Transport>, Error> {
    let stream = TcpStream::connect(resolve(target).await?).await.map_err(Error::Connect)?;
    // Small requests should not wait for more to come.
    stream.set_nodelay(true).map_err(Error::Connect)?;
    if !target.encrypted {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(target.host.clone()).map_err(|_not_a_name| Error::Target)?;
    let stream = TlsConnector::from(tls.0).connect(name, stream).await.map_err(Error::Tls)?;
    Ok(Box::new(stream))
}

/// Resolves the name once; what is checked here is what we connect to, whatever the name says next.
async fn resolve(target: &Target) -> Result<SocketAddr, Error> {
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let mut addresses = found.map_err(Error::Unresolved)?.peekable();
    if addresses.peek().is_none() {
        return Err(Error::NoAddress);
    }
    let mut usable = addresses.filter(|address| target.any_address || is_public(address.ip()));
    usable.next().ok_or(Error::NotPublic)
}

/// The request with a target as servers expect it: the path alone.
fn origin_form<B>(mut request: Request<B>) -> Result<Request<B>, Error> {
    if !request.headers().contains_key(HOST) {
        return Err(Error::Target);
    }
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    *request.uri_mut() = target.parse().map_err(|_why| Error::Target)?;
    Ok(request)
}
