//! `CaptureEntry`: one call as it was kept.

use serde::{Deserialize, Serialize};

use super::{Drawn, Subject};
use crate::{Activation, Answer, Invoke, Version};

/// One call as it crossed the broker, and what ran it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureEntry {
    /// The version of the entry's shape.
    pub v: Version,
    /// The call.
    pub invoke: Invoke,
    /// What it came to.
    pub answer: Answer,
    /// Which bundle ran it, when, for how long, and what it printed.
    pub activation: Activation,
    /// What the Func drew from outside.
    pub drawn: Drawn,
    /// What was taken out because it is secret: `invoke.headers.authorization`, `answer.body/token`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<String>,
}

impl CaptureEntry {
    /// What filters look at.
    pub fn subject(&self) -> Subject<'_> {
        Subject::of(&self.activation)
    }
}
