//! `Egress`: the requests that a call sends. Nothing leaves but to the hosts that the deployment allows.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, WasiBody, WasiHttpHooks};
use wire::egress::{self, AllowList, Tls};

use crate::outside::{self, Answering, Tape};
use crate::trace::{Part, TRACEPARENT, Trace};

/// How long the way to the other side may take, name and handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the other side may think; the call's own deadline mostly comes first.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(30);

/// A response, and what drives its connection; or why there is none.
pub(crate) type Exchanged = Result<(http::Response<WasiBody>, Driver), Error>;
pub(crate) type Driver = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// Carries a call's id to whoever the Func calls.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a Func may reach, the same for all its calls. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reach {
    /// Where requests may go.
    pub(crate) allowed: Arc<AllowList>,
    /// How to trust a server.
    pub(crate) tls: Tls,
    /// How many requests one call may send.
    pub(crate) requests_max: u32,
}

/// The requests that one call sends.
pub(crate) struct Egress {
    reach: Reach,
    request_id: HeaderValue,
    requests: u32,
    /// What notes them, if anything is to.
    tape: Option<Tape>,
    /// The context that they carry, unless each has one of its own.
    traceparent: Option<HeaderValue>,
    /// Where their spans go, if the call is traced.
    trace: Option<Trace>,
}

impl Egress {
    pub(crate) fn new(reach: Reach, request_id: HeaderValue, tape: Option<Tape>) -> Self {
        Self { reach, request_id, requests: 0, tape, traceparent: None, trace: None }
    }

    /// The same of a call with this trace context, which may be traced here.
    pub(crate) fn within(self, traceparent: Option<HeaderValue>, trace: Option<Trace>) -> Self {
        Self { traceparent, trace, ..self }
    }

    /// Has a request carry the trace on, and begins its span if there is to be one.
    fn carry_on(&self, request: &mut http::Request<WasiBody>) -> Option<Part> {
        let part = self.trace.as_ref().map(|trace| trace.request(request.method(), request.uri()));
        let own = part.as_ref().and_then(Part::traceparent);
        if let Some(traceparent) = own.or_else(|| self.traceparent.clone()) {
            request.headers_mut().insert(TRACEPARENT, traceparent);
        }
        part
    }

    /// Answers a request that is noted.
    fn answer(
        &self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
        answering: Answering,
    ) -> Pin<Box<dyn Future<Output = Exchanged> + Send>> {
        match answering {
            Answering::World => {
                let admitted = self.admit(request, options);
                Box::pin(async move { run(admitted?).await })
            }
            Answering::Record(known) => Box::pin(outside::play(*known, request.into_body())),
            Answering::Nowhere => Box::pin(std::future::ready(Err(Error::HttpRequestDenied))),
        }
    }

    fn admit(
        &self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<egress::Exchange<WasiBody>, Error> {
        let target = self.reach.allowed.admit(request.uri()).ok_or(Error::HttpRequestDenied)?;
        let connect_timeout = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT).min(CONNECT_TIMEOUT);
        let response_timeout =
            options.first_byte_timeout.unwrap_or(FIRST_BYTE_TIMEOUT).min(FIRST_BYTE_TIMEOUT);
        Ok(egress::Exchange {
            target,
            tls: self.reach.tls.clone(),
            request,
            connect_timeout,
            response_timeout,
        })
    }
}

impl WasiHttpHooks for Egress {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        DEFAULT_FORBIDDEN_HEADERS.contains(name)
    }

    fn send_request(
        &mut self,
        mut request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processing: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Exchanged> + Send> {
        // Each counts, wherever its answer would come from: what is noted of it takes memory.
        self.requests = self.requests.saturating_add(1);
        if self.requests > self.reach.requests_max {
            if let Some(tape) = &self.tape {
                tape.truncate();
            }
            return Box::new(std::future::ready(Err(Error::ConnectionLimitReached)));
        }
        request.headers_mut().insert(REQUEST_ID, self.request_id.clone());
        let part = self.carry_on(&mut request);
        let options = options.unwrap_or_default();
        match &self.tape {
            None => {
                let admitted = self.admit(request, options);
                Box::new(async move { told_of(part, async { run(admitted?).await }.await) })
            }
            Some(tape) => {
                let (exchange, request, answering) = outside::Exchange::begin(tape, request);
                let answered = self.answer(request, options, answering);
                Box::new(async move { exchange.end(told_of(part, answered.await)) })
            }
        }
    }
}

/// Ends the span of a request that came to this.
fn told_of(part: Option<Part>, exchanged: Exchanged) -> Exchanged {
    if let Some(mut part) = part {
        match &exchanged {
            Ok((response, _)) => part.note("http.response.status_code", response.status().as_u16()),
            Err(_) => part.fail(),
        }
    }
    exchanged
}

async fn run(exchange: egress::Exchange<WasiBody>) -> Exchanged {
    let (response, driver) = exchange.run().await.map_err(told)?;
    let response = response.map(|body| body.map_err(Error::from).boxed_unsync());
    // Nobody but the connection's end stops its driver, so that there is always an outcome.
    let driven = async { driver.await.unwrap_or(Ok(())).map_err(Error::from) };
    Ok((response, Box::new(driven)))
}

/// What a Func is told of why there is no response.
fn told(error: egress::Error) -> Error {
    match error {
        egress::Error::Target => Error::HttpRequestUriInvalid,
        egress::Error::Unresolved(_) => Error::DnsError { rcode: None, info_code: None },
        egress::Error::NoAddress => Error::DestinationNotFound,
        egress::Error::NotPublic => Error::DestinationIpProhibited,
        egress::Error::ConnectTimeout => Error::ConnectionTimeout,
        egress::Error::Connect(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
            io::ErrorKind::TimedOut => Error::ConnectionTimeout,
            _ => Error::Connect(error),
        },
        egress::Error::Tls(error) => Error::Tls(error),
        egress::Error::ResponseTimeout => Error::ConnectionReadTimeout,
        egress::Error::Http(error) => error.into(),
    }
}
