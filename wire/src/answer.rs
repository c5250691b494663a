//! `Answer`: the message that ends a call.

use serde::{Deserialize, Serialize};

use crate::invoke::{is_false, is_zero};
use crate::{ActivationId, Body, BundleSha, Problem, ProblemKind, RequestId, Version};

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The version of the message's shape.
    pub v: Version,
    /// The request id of the call.
    pub id: RequestId,
    /// The activation id of the call: what the frontend matches.
    pub activation: ActivationId,
    /// Which attempt this answers.
    pub attempt: u32,
    /// The bundle that ran, when one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<BundleSha>,
    /// The HTTP status.
    pub status: u16,
    /// The headers in order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; absent when it is empty.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
    /// The position of this part in an answer that comes in several.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub part: u32,
    /// Whether another part follows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
}

impl Answer {
    /// Whether the call was cancelled: no bundle's own answer, and the one problem with this status.
    pub fn is_cancelled(&self) -> bool {
        self.bundle.is_none() && self.status == ProblemKind::Cancelled.status()
    }

    /// The answer to a call that the platform could not carry out.
    pub fn problem(activation: ActivationId, attempt: u32, problem: Problem) -> Self {
        Self {
            v: Version,
            activation,
            attempt,
            bundle: None,
            status: problem.status(),
            headers: problem.headers(),
            body: Body::from(problem.to_json()),
            id: problem.request_id,
            part: 0,
            more: false,
        }
    }
}
