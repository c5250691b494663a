//! `Request` is what a check reads; `Checked` is what it finds out.

use serde_json::{Map, Value};

use crate::Operation;

/// A request as it came, relative to the base path of the document.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path, still percent-encoded, relative to the base path; begins with `/`.
    pub path: &'a str,
    /// The query, still percent-encoded, without the `?`; may be empty.
    pub query: &'a str,
    /// The headers in order; names in any case.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: Payload<'a>,
}

/// The body of a request, as far as it is at hand.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// All of it; empty when there is none.
    Whole(&'a [u8]),
    /// There is one, and it is too long to look at unless the document asks for that.
    Unread,
}

impl Payload<'_> {
    /// Whether there is no body.
    pub fn is_empty(self) -> bool {
        matches!(self, Self::Whole([]))
    }
}

/// A request that the document accepts.
#[derive(Clone, Debug)]
pub struct Checked<'d> {
    /// The operation that answers the request.
    pub operation: &'d Operation,
    /// The path parameters, typed by their schemas.
    pub path_params: Map<String, Value>,
    /// The declared query parameters, typed by their schemas, with defaults filled in.
    pub query_params: Map<String, Value>,
    /// Whether all but the body is accepted, because it was unread and the document says what is in it.
    pub is_body_due: bool,
}

impl<'a> Request<'a> {
    /// The first header of this name, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let headers: &'a [(String, String)] = self.headers;
        headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
