//! `Response`, and what a function may return instead of one.

use serde::Serialize;

use crate::{Problem, Result};

/// A response: status, headers, bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    /// A response without a body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// 200 with these bytes.
    pub fn bytes(content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let mut response = Self::new(200).header("content-type", content_type);
        response.body = bytes.into();
        response
    }

    /// 200 with this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::bytes("text/plain; charset=utf-8", text.into())
    }

    /// 200 with this value as JSON.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        Ok(Self::bytes("application/json", serde_json::to_vec(value)?))
    }

    /// The same response with this status.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same response with a header more.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// The same response with this body, whose type the headers tell.
    pub fn with_body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self
    }
}

/// Reading a response: for tests, and for the side that sends it.
impl Response {
    /// The status.
    pub fn status_code(&self) -> u16 {
        self.status
    }

    /// The first header of this name, in any case.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter();
        found.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All headers, in order.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// What a function may return: a response, or something that makes one.
pub trait IntoResponse {
    /// The response, or the problem that is sent instead.
    fn into_response(self) -> Result<Response>;
}

/// 200 with this value as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Result<Response> {
        Response::json(&self.0)
    }
}

impl IntoResponse for Response {
    fn into_response(self) -> Result<Response> {
        Ok(self)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Result<Response> {
        Err(self)
    }
}

impl<T: IntoResponse> IntoResponse for Result<T> {
    fn into_response(self) -> Result<Response> {
        self?.into_response()
    }
}

/// 204.
impl IntoResponse for () {
    fn into_response(self) -> Result<Response> {
        Ok(Response::new(204))
    }
}

/// 200 with plain text.
impl IntoResponse for String {
    fn into_response(self) -> Result<Response> {
        Ok(Response::text(self))
    }
}

/// 200 with plain text.
impl IntoResponse for &str {
    fn into_response(self) -> Result<Response> {
        Ok(Response::text(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_become_responses() {
        let text = "hello".into_response().unwrap();
        assert_eq!(text.header_value("Content-Type"), Some("text/plain; charset=utf-8"));
        assert_eq!(().into_response().unwrap().status_code(), 204);
        assert_eq!(Json([1, 2]).into_response().unwrap().body(), b"[1,2]");
    }

    #[test]
    fn status_and_headers_are_added() {
        let response = Response::json(&1).unwrap().status(201).header("Location", "/pets/1");
        assert_eq!(response.status_code(), 201);
        assert_eq!(response.header_value("location"), Some("/pets/1"));
    }
}
