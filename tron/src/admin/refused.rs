//! `Refused`: why a request to the admin API is not carried out, and the one place that says it in HTTP.

use tracing::error;
use wire::http::BodyError;
use wire::{Chain, Component, Fault, Problem, ProblemKind, RequestId};

use crate::Rejection;
use crate::bundles::fault;

/// Why a request is not carried out.
#[derive(Debug)]
pub(crate) struct Refused {
    kind: ProblemKind,
    detail: String,
    faults: Vec<Fault>,
    headers: Vec<(&'static str, String)>,
}

impl Refused {
    fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), faults: Vec::new(), headers: Vec::new() }
    }

    pub(crate) fn not_found(detail: &str) -> Self {
        Self::new(ProblemKind::NotFound, detail)
    }

    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        Self {
            headers: vec![("allow", allow.to_owned())],
            ..Self::new(ProblemKind::MethodNotAllowed, "this can only be read")
        }
    }

    pub(crate) fn unauthorized() -> Self {
        let challenge = ("www-authenticate", "Bearer".to_owned());
        Self {
            headers: vec![challenge],
            ..Self::new(ProblemKind::Unauthorized, "the admin token is missing or wrong")
        }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::InvalidRequest, detail)
    }

    pub(crate) fn internal(detail: impl std::fmt::Display) -> Self {
        error!(%detail, "admin request failed");
        Self::new(ProblemKind::Internal, "tron could not carry this out; its log says why")
    }

    /// The response's content.
    pub(crate) fn into_problem(self, id: RequestId) -> Problem {
        let problem = Problem::new(self.kind, self.detail, id, Component::Admin).with_faults(self.faults);
        self.headers.into_iter().fold(problem, |problem, (name, value)| problem.with_header(name, value))
    }
}

impl From<BodyError> for Refused {
    fn from(error: BodyError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}

impl From<swagger::Refusal> for Refused {
    fn from(refusal: swagger::Refusal) -> Self {
        let allow = Some(refusal.allow.join(", ")).filter(|methods| !methods.is_empty());
        let challenges = refusal.challenges.into_iter().map(|challenge| ("www-authenticate", challenge));
        Self {
            kind: ProblemKind::of_refusal(refusal.status),
            detail: refusal.detail,
            faults: refusal.faults.into_iter().map(fault).collect(),
            headers: allow.map(|methods| ("allow", methods)).into_iter().chain(challenges).collect(),
        }
    }
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        let kind = rejection.kind();
        if kind == ProblemKind::Internal {
            return Self::internal(Chain(&rejection));
        }
        let headers = match rejection {
            Rejection::Contended => vec![("retry-after", "1".to_owned())],
            _ => Vec::new(),
        };
        Self { kind, detail: rejection.to_string(), faults: rejection.faults().to_vec(), headers }
    }
}
