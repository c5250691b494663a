//! `Problem`: an error as the client sees it (RFC 9457).

use std::error::Error;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{Response, host};

/// An error response in `application/problem+json`.
///
/// Any error turns into an internal one with `?`: its text goes to the log, the client gets a bare 500
/// (and the text too where the deployment shows errors).
#[derive(Debug, Clone)]
pub struct Problem {
    status: u16,
    detail: String,
    cause: Option<String>,
    members: Map<String, Value>,
    headers: Vec<(String, String)>,
}

impl Problem {
    /// A problem with this status and a sentence for the client.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), cause: None, members: Map::new(), headers: Vec::new() }
    }

    /// 400: the request makes no sense.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, detail)
    }

    /// 401: credentials are missing or wrong; name the scheme with [`Problem::header`].
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(401, detail)
    }

    /// 403: these credentials may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, detail)
    }

    /// 409: the request does not fit the present state.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, detail)
    }

    /// 500: the cause is for the log, not for the client.
    pub fn internal(cause: impl Into<String>) -> Self {
        let mut problem = Self::new(500, "the Func failed");
        problem.cause = Some(cause.into());
        problem
    }

    /// Adds a member of your own.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        self.members.insert(name.into(), value);
        self
    }

    /// Adds a response header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The status of the response.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The sentence for the client.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The response to the request `id`; a cause goes to the log.
    pub fn response(self, id: &str) -> Response {
        let body = self.body(id).to_string();
        let response = Response::bytes("application/problem+json", body).status(self.status);
        let headers = self.headers.into_iter();
        headers.fold(response, |response, (name, value)| response.header(&name, value))
    }

    fn body(&self, id: &str) -> Value {
        let detail = self.shown_detail();
        let mut body = json!({
            "type": "about:blank", "title": title(self.status), "status": self.status, "detail": detail,
        });
        if !id.is_empty() {
            body["request_id"] = id.into();
        }
        for (name, value) in &self.members {
            body[name] = value.clone();
        }
        body
    }

    fn shown_detail(&self) -> &str {
        let Some(cause) = &self.cause else {
            return &self.detail;
        };
        host::log(cause);
        if host::shows_errors() { cause } else { &self.detail }
    }
}

impl<E: Error> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::internal(chain(&error))
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        status if status < 500 => "Client Error",
        _ => "Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse() -> crate::Result<i64> {
        Ok("x".parse::<i64>()?)
    }

    #[test]
    fn any_error_becomes_an_internal_problem() {
        let problem = parse().unwrap_err();
        assert_eq!(problem.status(), 500);
        assert_eq!(problem.cause.as_deref(), Some("invalid digit found in string"));
        assert_eq!(problem.detail(), "the Func failed");
    }

    #[test]
    fn headers_reach_the_response() {
        let problem = Problem::unauthorized("wrong key").header("www-authenticate", "ApiKey");
        let response = problem.response("");
        assert_eq!(response.header_value("WWW-Authenticate"), Some("ApiKey"));
    }
}
