//! `Replay`: marks an invoke that is a captured call, run again.

use serde::{Deserialize, Serialize};

use crate::capture::Drawn;
use crate::invoke::is_false;
use crate::{ActivationId, Answer};

/// Marks a call that is run again. Its answer goes to whoever asked for the replay and to no client, and
/// nothing of it leaves the sandbox but what is allowed here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// The call that it was.
    pub of: ActivationId,
    /// What the Func is given when it asks for the time, random bytes or somebody else's answer. Without it clocks and
    /// random bytes are real.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
    /// Whether requests may go out that were not recorded.
    #[serde(default, skip_serializing_if = "is_false")]
    pub outside: bool,
    /// What it came to before, for whoever runs it to compare with; the difference is in its record. Nobody waits for
    /// the answer then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Box<Answer>>,
}
