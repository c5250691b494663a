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
    /// The whole body; empty when there is none.
    pub body: &'a [u8],
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
}

impl<'a> Request<'a> {
    /// The first header of this name, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let headers: &'a [(String, String)] = self.headers;
        headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
