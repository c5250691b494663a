//! `AccessLog`: one line per request, at debug level, free when nobody listens.

use http::Method;
use tokio::time::Instant;
use tracing::{Level, debug, enabled};
use wire::RequestId;
use wire::http::{Request, Response};

/// What is noted about a request when it comes, if anybody wants to know.
pub(crate) struct AccessLog(Option<Entry>);

struct Entry {
    method: Method,
    path: String,
    begin: Instant,
}

impl AccessLog {
    pub(crate) fn begin(request: &Request) -> Self {
        Self(enabled!(Level::DEBUG).then(|| Entry {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            begin: Instant::now(),
        }))
    }

    pub(crate) fn end(self, request_id: &RequestId, response: &Response) {
        if let Some(Entry { method, path, begin }) = self.0 {
            let ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
            debug!(%method, ?path, status = response.status().as_u16(), ms, %request_id, "request");
        }
    }
}
