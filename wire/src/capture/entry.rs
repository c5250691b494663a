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
    /// Whether its bundle had to do with what it came to: see [`was_begun`].
    pub fn was_begun(&self) -> bool {
        was_begun(&self.drawn, self.answer.status)
    }

    /// What filters look at.
    pub fn subject(&self) -> Subject<'_> {
        Subject::of(&self.activation)
    }
}

/// Statuses with which a document refuses a request.
const REFUSALS: [u16; 5] = [400, 401, 404, 405, 415];

/// Whether a call that drew this and was answered with this status was begun: its Func ran, or its document refused
/// the request. What was cut off or cancelled, or waited until its deadline, tells nothing of its bundle.
pub fn was_begun(drawn: &Drawn, status: u16) -> bool {
    !drawn.is_nothing() || REFUSALS.contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_was_begun_if_its_func_ran_or_its_document_refused_it() {
        let nothing = ["", &"0".repeat(64)].map(|seed| Drawn { seed: seed.to_owned(), ..Drawn::default() });
        for drawn in nothing {
            for (status, expected) in [(400, true), (404, true), (410, false), (502, false), (504, false)] {
                assert_eq!(was_begun(&drawn, status), expected, "{status}");
            }
        }
        let ran = Drawn { seed: format!("{}1", "0".repeat(63)), ..Drawn::default() };
        assert!(was_begun(&ran, 502) && was_begun(&ran, 200));
    }
}
