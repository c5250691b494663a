//! `Client`: HTTP as stores over the network need it.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector as Connect, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use tokio::time::{Instant, Sleep, sleep, timeout};

/// A machine of the same network that does not answer by then is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For the head of a response: the request, a large bundle at most, is sent within it.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two pieces of a body.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// An HTTP client with a pool of connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, HttpRequestBody>,
    /// Sent with every request.
    authorization: Option<HeaderValue>,
}

impl Client {
    /// A client that shows this token, if there is one, with every request.
    pub(super) fn new(token: Option<&str>) -> Result<Self, object_store::Error> {
        let authorization = token.map(|token| HeaderValue::from_str(&format!("Bearer {token}"))).transpose();
        let mut authorization = authorization.map_err(generic)?;
        authorization.iter_mut().for_each(|value| value.set_sensitive(true));
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        // Whether the connection is encrypted is the URL's to say.
        tcp.enforce_http(false);
        let provider = rustls::crypto::ring::default_provider();
        let tls = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(provider).map_err(generic)?;
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { http, authorization })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Connect for Client {
    fn connect(&self, _options: &ClientOptions) -> Result<HttpClient, object_store::Error> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let response = timeout(RESPONSE_TIMEOUT, self.http.request(request)).await;
        let response = response.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?;
        let response = response.map_err(|error| {
            let kind = if error.is_connect() { HttpErrorKind::Connect } else { kind(&error) };
            HttpError::new(kind, error)
        })?;
        Ok(response.map(|body| HttpResponseBody::new(Patient::new(body))))
    }
}

/// What a failure is, so that the store knows whether to try again.
fn kind(error: &(dyn StdError + 'static)) -> HttpErrorKind {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let hyper = error.downcast_ref::<hyper::Error>();
        if error.is::<std::io::Error>()
            || hyper.is_some_and(|error| error.is_closed() || error.is_incomplete_message())
        {
            return HttpErrorKind::Interrupted;
        }
        cause = error.source();
    }
    HttpErrorKind::Unknown
}

fn generic(source: impl StdError + Send + Sync + 'static) -> object_store::Error {
    object_store::Error::Generic { store: "http", source: Box::new(source) }
}

/// A body that fails when it stops coming.
struct Patient {
    body: Incoming,
    patience: Pin<Box<Sleep>>,
}

impl Patient {
    fn new(body: Incoming) -> Self {
        Self { body, patience: Box::pin(sleep(IDLE_TIMEOUT)) }
    }
}

/// A body went silent.
#[derive(Debug, thiserror::Error)]
#[error("nothing came for {} seconds", IDLE_TIMEOUT.as_secs())]
struct Silent;

impl Body for Patient {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            let silent = self.patience.as_mut().poll(context);
            return silent.map(|()| Some(Err(HttpError::new(HttpErrorKind::Timeout, Silent))));
        };
        self.patience.as_mut().reset(Instant::now() + IDLE_TIMEOUT);
        Poll::Ready(frame.map(|frame| frame.map_err(|error| HttpError::new(kind(&error), error))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
