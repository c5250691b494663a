//! `request_id`: the id that a request comes with, or gets.

use ::http::HeaderMap;

use super::X_REQUEST_ID;
use crate::RequestId;

/// The id that a client gave its request; a new one when there is none or it is not valid.
pub fn request_id(headers: &HeaderMap) -> RequestId {
    headers
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| RequestId::parse(text).ok())
        .unwrap_or_else(RequestId::generate)
}
