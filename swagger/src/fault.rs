//! `Fault` is one mistake, named by where it is; `Invalid` is every mistake of a document.

use std::fmt;

use serde::Serialize;

/// One mistake in a document, a request or a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The part in which the mistake is.
    #[serde(rename = "in")]
    pub location: Location,
    /// RFC 6901 pointer within that part: `/pet/name`, or `/limit` for a parameter.
    pub pointer: String,
    /// What is wrong, in words that a client may see.
    pub reason: String,
}

/// The part of an exchange, or the document, that a fault is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// A path parameter.
    Path,
    /// A query parameter.
    Query,
    /// A request or response header.
    Header,
    /// A cookie.
    Cookie,
    /// The request body.
    Body,
    /// The response body.
    Response,
    /// The OpenAPI document itself.
    Document,
}

impl Fault {
    /// Names a mistake at `pointer` in `location`.
    pub fn new(location: Location, pointer: impl Into<String>, reason: impl Into<String>) -> Fault {
        Fault { location, pointer: pointer.into(), reason: reason.into() }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Location::Path => "path",
            Location::Query => "query",
            Location::Header => "header",
            Location::Cookie => "cookie",
            Location::Body => "body",
            Location::Response => "response",
            Location::Document => "document",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}: {}", self.location, self.pointer, self.reason)
    }
}

/// A document that cannot be served, with every mistake found in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid OpenAPI document: {}", list(.faults))]
pub struct Invalid {
    /// The mistakes, in document order; never empty.
    pub faults: Vec<Fault>,
}

/// Enough of the mistakes for one log line.
const FAULTS_SHOWN_MAX: usize = 10;

fn list(faults: &[Fault]) -> String {
    let mut text = String::new();
    for fault in faults.iter().take(FAULTS_SHOWN_MAX) {
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&format!("at {:?}: {}", fault.pointer, fault.reason));
    }
    if faults.len() > FAULTS_SHOWN_MAX {
        text.push_str(&format!("; and {} more", faults.len() - FAULTS_SHOWN_MAX));
    }
    text
}
