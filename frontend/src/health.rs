//! What a frontend says about itself to whoever starts and watches it.

use bytes::Bytes;
use serde::Serialize;
use wire::MemberId;
use wire::http::Response;

/// Below which no Func is reached: the platform's own.
pub(crate) const PATH: &str = "/_funcatron/health";

/// That it is up, and how busy. It says nothing of the broker: a frontend that is started again for a broker
/// that is down would be of no more use.
#[derive(Serialize)]
pub(crate) struct Health<'a> {
    pub(crate) member: &'a MemberId,
    pub(crate) in_flight: usize,
}

impl Health<'_> {
    pub(crate) fn respond(&self) -> Result<Response, http::Error> {
        // A text and a number: it can always be written.
        let body = serde_json::to_vec(self).unwrap_or_default();
        let headers = [("content-type", "application/json"), ("cache-control", "no-store")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        wire::http::full(200, &headers, Bytes::from(body))
    }
}
