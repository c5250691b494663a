//! `Refusal` is why a request does not reach its Func.

use crate::Fault;

/// Why the document refuses a request; everything an HTTP response needs to say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// 400, 401, 404, 405 or 415.
    pub status: u16,
    /// One sentence for the client.
    pub detail: String,
    /// Every mistake found, for a 400.
    pub faults: Vec<Fault>,
    /// The methods that the path answers, for a 405.
    pub allow: Vec<String>,
    /// The values of `WWW-Authenticate`, for a 401.
    pub challenges: Vec<String>,
}

impl Refusal {
    pub(crate) fn new(status: u16, detail: impl Into<String>) -> Refusal {
        Refusal {
            status,
            detail: detail.into(),
            faults: Vec::new(),
            allow: Vec::new(),
            challenges: Vec::new(),
        }
    }
}
