//! What an operator sees of dead letters, and asks for.

use serde::{Deserialize, Serialize};

use crate::broker::GivenUp;
use crate::{BundleSha, RequestId, RouteId, Timestamp};

/// A dead-letter queue in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadQueue {
    /// What it is asked for by: the route's id, `requests` for what nobody could read or route,
    /// or `results` for answers that nobody could read.
    pub name: String,
    /// The route whose calls are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<DeadRoute>,
    /// Messages in it.
    pub count: u64,
    /// When the first of them was given up, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
}

/// The route of a dead-letter queue, as it was when it was last deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadRoute {
    /// Names the route.
    pub id: RouteId,
    /// An exact host, or `*`.
    pub host: String,
    /// The base path.
    pub base_path: String,
    /// The title of the document of its first bundle; empty when nobody has it any more.
    pub title: String,
    /// Whether it is deployed now.
    pub deployed: bool,
}

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Names it: the activation of a call, or the beginning of the SHA-256 of what nobody can read.
    pub id: String,
    /// Why and when it was given up.
    #[serde(flatten)]
    pub why: GivenUp,
    /// Its length in bytes.
    pub size: u64,
    /// The call that it is, if it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<DeadCall>,
}

/// What an operator sees of a call that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadCall {
    /// The id that the client saw.
    pub request_id: RequestId,
    /// The HTTP method.
    pub method: String,
    /// The host that was asked for.
    pub host: String,
    /// The path.
    pub path: String,
    /// Whether its caller was promised it.
    #[serde(rename = "async")]
    pub asynchronous: bool,
}

/// Asks for dead letters to be tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedriveRequest {
    /// Only this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The bundle to run instead of the one that the route would choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<BundleSha>,
}

/// What became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redriven {
    /// Calls that are in the firehose again.
    pub redriven: u64,
    /// Messages that stay because nobody can read them or no route takes them.
    pub kept: u64,
    /// Messages in the queue now.
    pub left: u64,
}

/// What was thrown away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// Messages.
    pub purged: u64,
}
