//! `Problem`: how the platform tells a client that it could not answer (RFC 9457).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::RequestId;

/// The part of the platform that found the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// The HTTP side.
    Frontend,
    /// The dispatcher.
    Tron,
    /// The host of Funcs.
    Runner,
    /// The Func itself.
    Func,
    /// The admin API.
    Admin,
}

/// What went wrong, as a fact that clients and tests can branch on. Each has one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The request is not clean HTTP, or breaks the document.
    InvalidRequest,
    /// No credentials, or not the right ones.
    Unauthorized,
    /// No route or operation has this path, or no such thing exists.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The client was too slow in sending.
    RequestTimeout,
    /// It contradicts what is already there.
    Conflict,
    /// The call was cancelled before it was done.
    Cancelled,
    /// The body is over the limit.
    BodyTooLarge,
    /// The target is over the limit.
    TargetTooLong,
    /// The document does not take this content type.
    UnsupportedMediaType,
    /// What was uploaded is understood and unusable.
    Unprocessable,
    /// The head is over the limit.
    HeadTooLarge,
    /// The call went through itself too often.
    LoopDetected,
    /// A fault of the platform.
    Internal,
    /// A method or encoding that nothing here understands.
    NotImplemented,
    /// The Func failed: a trap, a limit, an answer that is not HTTP.
    FuncFailed,
    /// The Func's answer breaks the document.
    InvalidResponse,
    /// The platform broke while it took the request: it may have been executed.
    OutcomeUnknown,
    /// The platform cannot take the request now; it was not executed.
    Overloaded,
    /// Nobody can run the Func at present.
    NoRunner,
    /// No answer by the deadline.
    DeadlineExceeded,
}

impl ProblemKind {
    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::Conflict => 409,
            Self::Cancelled => 410,
            Self::BodyTooLarge => 413,
            Self::TargetTooLong => 414,
            Self::UnsupportedMediaType => 415,
            Self::Unprocessable => 422,
            Self::HeadTooLarge => 431,
            Self::Internal => 500,
            Self::NotImplemented => 501,
            Self::FuncFailed | Self::InvalidResponse | Self::OutcomeUnknown => 502,
            Self::Overloaded | Self::NoRunner => 503,
            Self::DeadlineExceeded => 504,
            Self::LoopDetected => 508,
        }
    }

    /// What is wrong with a request that its document refuses with this status.
    pub fn of_refusal(status: u16) -> Self {
        match status {
            401 => Self::Unauthorized,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            415 => Self::UnsupportedMediaType,
            _ => Self::InvalidRequest,
        }
    }

    /// Its name, in kebab case.
    pub fn name(self) -> String {
        format!("{}", Name(self))
    }

    fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "Invalid request",
            Self::Unauthorized => "Unauthorized",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::RequestTimeout => "Request timeout",
            Self::Conflict => "Conflict",
            Self::Cancelled => "Cancelled",
            Self::BodyTooLarge => "Body too large",
            Self::TargetTooLong => "Target too long",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::Unprocessable => "Unprocessable",
            Self::HeadTooLarge => "Head too large",
            Self::LoopDetected => "Loop detected",
            Self::Internal => "Internal error",
            Self::NotImplemented => "Not implemented",
            Self::FuncFailed => "Func failed",
            Self::InvalidResponse => "Invalid response",
            Self::OutcomeUnknown => "Outcome unknown",
            Self::Overloaded => "Overloaded",
            Self::NoRunner => "No runner",
            Self::DeadlineExceeded => "Deadline exceeded",
        }
    }
}

/// One thing that is wrong with a document, a request or a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where to look: `path`, `query`, `header`, `cookie`, `body`, `response`, `document`, `bundle`.
    #[serde(rename = "in")]
    pub location: String,
    /// An RFC 6901 JSON Pointer within it.
    pub pointer: String,
    /// What is wrong there.
    pub reason: String,
}

impl Fault {
    /// What is wrong at `pointer` in `location`.
    pub fn new(location: impl fmt::Display, pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { location: location.to_string(), pointer: pointer.into(), reason: reason.into() }
    }
}

/// A problem, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What went wrong.
    pub kind: ProblemKind,
    /// What went wrong this time, for the client's eyes.
    pub detail: String,
    /// The request it went wrong for.
    pub request_id: RequestId,
    /// Who found it.
    pub component: Component,
    /// Every single fault, when there are several places to look.
    pub faults: Vec<Fault>,
    /// Headers that the status asks for, such as `allow` with 405.
    pub extra_headers: Vec<(String, String)>,
}

/// The media type of [`Problem::to_json`].
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

impl Problem {
    /// A problem without a list of faults.
    pub fn new(
        kind: ProblemKind,
        detail: impl Into<String>,
        request_id: RequestId,
        component: Component,
    ) -> Self {
        Self {
            kind,
            detail: detail.into(),
            request_id,
            component,
            faults: Vec::new(),
            extra_headers: Vec::new(),
        }
    }

    /// The same problem with the places to look.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    /// The same problem with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.extra_headers.push((name.to_owned(), value.into()));
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.kind.status()
    }

    /// The headers of a response that carries this problem.
    pub fn headers(&self) -> Vec<(String, String)> {
        let content_type = ("content-type".to_owned(), PROBLEM_MEDIA_TYPE.to_owned());
        std::iter::once(content_type).chain(self.extra_headers.iter().cloned()).collect()
    }

    /// The body of a response that carries this problem.
    pub fn to_json(&self) -> Vec<u8> {
        let shape = Shape {
            kind: format_args!("urn:funcatron:problem:{}", Name(self.kind)).to_string(),
            title: self.kind.title(),
            status: self.status(),
            detail: &self.detail,
            request_id: &self.request_id,
            component: self.component,
            errors: &self.faults,
        };
        // Strings, numbers and lists of them: there is nothing here that JSON cannot hold.
        serde_json::to_vec(&shape).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Shape<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    request_id: &'a RequestId,
    component: Component,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

/// A unit variant as serde names it.
struct Name(ProblemKind);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_rfc_9457_json() {
        let problem = Problem::new(
            ProblemKind::MethodNotAllowed,
            "no PUT here",
            RequestId::parse("r1").unwrap(),
            Component::Runner,
        )
        .with_header("allow", "GET");
        assert_eq!(
            String::from_utf8(problem.to_json()).unwrap(),
            r#"{"type":"urn:funcatron:problem:method-not-allowed","title":"Method not allowed","status":405,"detail":"no PUT here","request_id":"r1","component":"runner"}"#
        );
        assert!(problem.headers().contains(&("allow".into(), "GET".into())));
    }
}
