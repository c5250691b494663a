//! Builds responses.

use ::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use ::http::{Response as Builder, StatusCode};
use bytes::Bytes;

use super::{Lines, Response, ResponseBody};
use crate::Problem;
use crate::store::BodyStream;

/// The header that carries a request's id, both ways.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A response with this body.
///
/// # Errors
/// When the status or a header cannot be sent.
pub fn full(status: u16, headers: &[(String, String)], body: Bytes) -> Result<Response, ::http::Error> {
    let mut response = Builder::new(ResponseBody::full(body));
    *response.status_mut() = StatusCode::from_u16(status)?;
    response.headers_mut().reserve(headers.len());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        response.headers_mut().append(name, HeaderValue::from_str(value)?);
    }
    Ok(response)
}

/// A response whose lines are sent as they come up, as newline-delimited JSON.
pub fn lines() -> (Lines, Response) {
    let (lines, body) = ResponseBody::lines();
    (lines, of_lines(body))
}

/// A response of newline-delimited JSON that is read as fast as the client takes it. When the stream fails, the
/// connection breaks off.
pub fn streamed_lines(stream: BodyStream) -> Response {
    of_lines(ResponseBody::streamed(stream))
}

fn of_lines(body: ResponseBody) -> Response {
    let mut response = Builder::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
}

/// A response that tells of a problem, with its request id.
pub fn problem(problem: &Problem) -> Response {
    let body = Bytes::from(problem.to_json());
    // A problem of ours has a valid status and headers; should one not, its body still says what is wrong.
    let mut response = full(problem.status(), &problem.headers(), body.clone())
        .unwrap_or_else(|_invalid| Builder::new(ResponseBody::full(body)));
    if let Ok(id) = HeaderValue::from_str(problem.request_id.as_str()) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}
