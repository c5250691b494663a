//! `Activation`: the record of one execution.

use serde::{Deserialize, Serialize};

use crate::{ActivationId, BundleSha, Level, MemberId, Namespace, RequestId, RouteId, Timestamp, Version};

/// What ran, when, for how long, what it came to and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// The version of the message's shape.
    pub v: Version,
    /// The call.
    pub id: ActivationId,
    /// The id that the client sees.
    pub request_id: RequestId,
    /// The tenant.
    pub namespace: Namespace,
    /// The route.
    pub route: RouteId,
    /// The bundle.
    pub bundle: BundleSha,
    /// The `operationId`; absent when no operation matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Which attempt this was.
    pub attempt: u32,
    /// The runner.
    pub member: MemberId,
    /// The HTTP method.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// When the runner took it up.
    pub at: Timestamp,
    /// Milliseconds from its acceptance by the frontend until then.
    pub queued_ms: u64,
    /// Microseconds from then to its answer.
    pub service_us: u64,
    /// Microseconds of a processor that the Func has used.
    #[serde(default)]
    pub cpu_us: u64,
    /// Why the platform answered in the Func's place, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The call that this was a replay of, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<ActivationId>,
    /// How its answer differs from the one before, if it is a replay that was compared and does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// What the Func printed, and what the platform had to say about this call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogLine>,
}

/// One line of a Func's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// The same in microseconds after the call began, as what the Func asked for is told; of lines about the whole call there
    /// is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_us: Option<u64>,
    /// Where to.
    pub stream: Stream,
    /// How much it matters.
    #[serde(default)]
    pub level: Level,
    /// The text, without its line break.
    pub text: String,
}

/// Where a log line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// The Func's standard output.
    Stdout,
    /// The Func's standard error.
    Stderr,
    /// The platform, about this call.
    Platform,
}

impl Stream {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Platform => "platform",
        }
    }
}
