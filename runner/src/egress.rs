//! `Egress`: the requests that a call sends. Nothing leaves but to the hosts that the deployment allows.

mod address;
mod allow_list;
mod exchange;

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, WasiBody, WasiHttpHooks};

pub(crate) use allow_list::{AllowList, BadEntry};
pub(crate) use exchange::tls;

use exchange::{Exchange, Exchanged};

/// Carries a call's id to whoever the Func calls.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a Func may reach, the same for all its calls. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reach {
    /// Where requests may go.
    pub(crate) allowed: Arc<AllowList>,
    /// How to trust a server.
    pub(crate) tls: Arc<rustls::ClientConfig>,
    /// How many requests one call may send.
    pub(crate) requests_max: u32,
}

/// The requests that one call sends.
pub(crate) struct Egress {
    reach: Reach,
    request_id: HeaderValue,
    requests: u32,
}

impl Egress {
    pub(crate) fn new(reach: Reach, request_id: HeaderValue) -> Self {
        Self { reach, request_id, requests: 0 }
    }

    fn admit(
        &mut self,
        mut request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Exchange, Error> {
        self.requests += 1;
        if self.requests > self.reach.requests_max {
            return Err(Error::ConnectionLimitReached);
        }
        let target = self.reach.allowed.admit(request.uri()).ok_or(Error::HttpRequestDenied)?;
        request.headers_mut().insert(REQUEST_ID, self.request_id.clone());
        Ok(Exchange { target, tls: self.reach.tls.clone(), request, options })
    }
}

impl WasiHttpHooks for Egress {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        DEFAULT_FORBIDDEN_HEADERS.contains(name)
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processing: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Exchanged> + Send> {
        let admitted = self.admit(request, options.unwrap_or_default());
        Box::new(async move { admitted?.run().await })
    }
}
