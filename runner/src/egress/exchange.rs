//! `Exchange`: one request that was admitted, and its response. Redirects are the Func's own affair:
//! following one is a new request, which is admitted or not.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::address::is_public;
use super::allow_list::Target;

/// How long the way to the other side may take, name and handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the other side may think; the call's own deadline mostly comes first.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(30);

/// A response, and what drives its connection; or why there is none.
pub(super) type Exchanged = Result<(http::Response<WasiBody>, Driver), Error>;
type Driver = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// One request that was admitted.
pub(super) struct Exchange {
    pub(super) target: Target,
    pub(super) tls: Arc<rustls::ClientConfig>,
    pub(super) request: http::Request<WasiBody>,
    pub(super) options: RequestOptions,
}

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// How servers are trusted: by the certificate authorities that browsers trust.
pub(crate) fn tls() -> Result<Arc<rustls::ClientConfig>, rustls::Error> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Exchange {
    pub(super) async fn run(self) -> Exchanged {
        let Self { target, tls, request, options } = self;
        let connect_timeout = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT).min(CONNECT_TIMEOUT);
        let connecting = timeout(connect_timeout, connect(&target, tls));
        let transport = connecting.await.map_err(|_elapsed| Error::ConnectionTimeout)??;
        let (mut sender, connection) = http1::handshake(TokioIo::new(transport)).await?;
        // Given up together with whoever waits for the response.
        let driver = wasmtime_wasi::runtime::spawn(connection);
        let wait = options.first_byte_timeout.unwrap_or(FIRST_BYTE_TIMEOUT).min(FIRST_BYTE_TIMEOUT);
        let sending = timeout(wait, sender.send_request(origin_form(request)?));
        let response = sending.await.map_err(|_elapsed| Error::ConnectionReadTimeout)??;
        let response = response.map(|body| body.map_err(Error::from).boxed_unsync());
        let driven = async { driver.await.map_err(Error::from) };
        Ok((response, Box::new(driven)))
    }
}

async fn connect(target: &Target, tls: Arc<rustls::ClientConfig>) -> Result<Box<dyn Transport>, Error> {
    let stream = TcpStream::connect(resolve(target).await?).await.map_err(refused)?;
    // Small requests should not wait for more to come.
    stream.set_nodelay(true).map_err(Error::Connect)?;
    if !target.encrypted {
        return Ok(Box::new(stream));
    }
    let name =
        ServerName::try_from(target.host.clone()).map_err(|_not_a_name| Error::HttpRequestUriInvalid)?;
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(Error::Tls)?;
    Ok(Box::new(stream))
}

/// Resolves the name once; what is checked here is what we connect to, whatever the name says next.
async fn resolve(target: &Target) -> Result<SocketAddr, Error> {
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let found = found.map_err(|_unresolved| Error::DnsError { rcode: None, info_code: None })?;
    let mut addresses = found.peekable();
    if addresses.peek().is_none() {
        return Err(Error::DestinationNotFound);
    }
    let mut usable = addresses.filter(|address| target.any_address || is_public(address.ip()));
    usable.next().ok_or(Error::DestinationIpProhibited)
}

fn refused(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        _ => Error::Connect(error),
    }
}

/// The request with a target as servers expect it: the path alone.
fn origin_form(mut request: http::Request<WasiBody>) -> Result<http::Request<WasiBody>, Error> {
    if !request.headers().contains_key(HOST) {
        return Err(Error::HttpRequestUriInvalid);
    }
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    *request.uri_mut() = target.parse().map_err(|_why| Error::HttpRequestUriInvalid)?;
    Ok(request)
}
