//! `Inquiry`: a request about a call, under the folder of paths that no Func is asked for.

use http::Method;
use wire::calls::RESERVED;
use wire::{ActivationId, ProblemKind};

const READ: &str = "GET, HEAD";
const READ_OR_CANCEL: &str = "GET, HEAD, DELETE";

/// A request about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inquiry {
    pub(super) activation: ActivationId,
    pub(super) about: About,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Status,
    Result,
    Cancel,
}

/// A request for a reserved path that is none about a call.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Bad {
    #[error("paths below {RESERVED} are the platform's own, and this is none of them")]
    Path,
    #[error("this method is not allowed here")]
    Method(&'static str),
}

impl Bad {
    pub(super) fn kind(self) -> ProblemKind {
        match self {
            Self::Path => ProblemKind::NotFound,
            Self::Method(_) => ProblemKind::MethodNotAllowed,
        }
    }

    pub(super) fn allow(self) -> Option<&'static str> {
        match self {
            Self::Path => None,
            Self::Method(allow) => Some(allow),
        }
    }
}

impl Inquiry {
    /// The inquiry that a request for this path is; none for a path that is not reserved.
    pub(crate) fn read(method: &Method, path: &str) -> Result<Option<Self>, Bad> {
        let Some(rest) = path.strip_prefix(RESERVED) else { return Ok(None) };
        let rest = rest.strip_prefix("calls/").ok_or(Bad::Path)?;
        let (id, is_result) = match rest.strip_suffix("/result") {
            Some(id) => (id, true),
            None => (rest, false),
        };
        let activation = id.parse().map_err(|_not_an_id| Bad::Path)?;
        let about = match (is_result, method) {
            (true, &Method::GET | &Method::HEAD) => About::Result,
            (true, _) => return Err(Bad::Method(READ)),
            (false, &Method::GET | &Method::HEAD) => About::Status,
            (false, &Method::DELETE) => About::Cancel,
            (false, _) => return Err(Bad::Method(READ_OR_CANCEL)),
        };
        Ok(Some(Self { activation, about }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reserved_paths_are_inquiries() {
        let activation = ActivationId::unguessable();
        let read = |method: Method, path: &str| Inquiry::read(&method, path);
        for path in ["/", "/_funcatron", "/_funcatronx/calls", "/a/_funcatron/calls"] {
            assert_eq!(read(Method::GET, path), Ok(None), "{path}");
        }
        let call = format!("/_funcatron/calls/{activation}");
        let inquiry = |about| Ok(Some(Inquiry { activation, about }));
        assert_eq!(read(Method::HEAD, &call), inquiry(About::Status));
        assert_eq!(read(Method::DELETE, &call), inquiry(About::Cancel));
        assert_eq!(read(Method::GET, &format!("{call}/result")), inquiry(About::Result));
        assert_eq!(read(Method::POST, &call), Err(Bad::Method(READ_OR_CANCEL)));
        assert_eq!(read(Method::DELETE, &format!("{call}/result")), Err(Bad::Method(READ)));
        for path in ["", "calls", "calls/", "calls/1", "calls/1/result", "metrics"] {
            assert_eq!(read(Method::GET, &format!("/_funcatron/{path}")), Err(Bad::Path), "{path}");
        }
    }
}
