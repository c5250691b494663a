//! The types of the admin API, as its OpenAPI document describes them.

mod call;
mod dead;
mod observing;
mod stats;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::invoke::is_false;
use crate::{BundleSha, Labels, MemberId, Role, Route, RouteId, Timestamp, Trial, WeightedBundle};

/// Below which a Tron hands out objects of the store, to members that cannot reach it themselves.
pub const OBJECTS_PATH: &str = "/api/v1/objects";

pub use call::{CallRequest, Called};
pub use dead::{DeadCall, DeadLetter, DeadQueue, DeadRoute, Purged, RedriveRequest, Redriven};
pub use observing::{CaptureInfo, CaptureRequest, CaptureState, LevelRequest};
pub use stats::{Quantiles, RouteStats, Stats, TrialReport};

/// A bundle that Tron holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleInfo {
    /// Its identity.
    pub sha: BundleSha,
    /// Its size in bytes.
    pub size: u64,
    /// The title of its document.
    pub title: String,
    /// The version of its document.
    pub version: String,
    /// The host that its document names; `*` for any.
    pub host: String,
    /// The base path that its document names.
    pub base_path: String,
    /// What its code is: `wasm` or `js`.
    pub code: String,
    /// What it asks of runners.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub placement: Labels,
    /// Its operations.
    pub operations: Vec<OperationInfo>,
}

/// An operation of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationInfo {
    /// The `operationId`.
    pub id: String,
    /// The HTTP method.
    pub method: String,
    /// The path template, below the base path.
    pub path: String,
}

/// Asks for a bundle to serve a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployRequest {
    /// The bundle.
    pub sha: BundleSha,
    /// The host instead of the document's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The base path instead of the document's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_path: Option<String>,
    /// Settings for the Func; those of the route before it when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub props: Option<Map<String, Value>>,
    /// What the Func may call; as before when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound: Option<Vec<String>>,
    /// The share of the route's calls, in percent; the bundles already there keep the rest. 100 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// What it has to prove beside the bundles that are there, and goes when it does not. Trusted when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// Whether it may take the route from a bundle whose document has another title.
    #[serde(default)]
    pub replace: bool,
}

/// What a deployment came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    /// The entry of the deployment log.
    pub deployment: DeploymentInfo,
    /// The route that the bundle serves.
    pub route: RouteId,
    /// Whether a runner has loaded it.
    pub ready: bool,
    /// Whether everything was as it is to be, so that the deployment is one that was made before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unchanged: bool,
    /// Why it could not be run. If it was on trial, it is off the route again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Why nobody can run it, until that is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
}

/// One entry of the deployment log: the whole desired state, with who brought it about and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its place in the log, from 1.
    pub number: u64,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: String,
    /// What was done, in words.
    pub action: String,
    /// Every route.
    pub routes: Vec<Route>,
}

/// A deployment in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentInfo {
    /// Its place in the log.
    pub number: u64,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: String,
    /// What was done.
    pub action: String,
}

impl From<&Deployment> for DeploymentInfo {
    fn from(deployment: &Deployment) -> Self {
        let Deployment { number, at, by, action, routes: _ } = deployment;
        Self { number: *number, at: *at, by: by.clone(), action: action.clone() }
    }
}

/// Asks for an earlier state again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// The deployment whose state to bring back; the one before the present when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

/// A route in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteInfo {
    /// Names the route.
    pub id: RouteId,
    /// An exact host, or `*`.
    pub host: String,
    /// The base path.
    pub base_path: String,
    /// The title of the document of its first bundle.
    pub title: String,
    /// The bundles that share its calls.
    pub bundles: Vec<WeightedBundle>,
    /// What the Func may call.
    pub outbound: Vec<String>,
    /// The names of its settings; their values are not shown.
    pub props: Vec<String>,
    /// Calls that wait.
    pub queued: u64,
    /// What an operator has to look at: why nobody can run a bundle of its.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
    /// How its bundles do that are on trial.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<TrialReport>,
    /// Its operations.
    pub operations: Vec<OperationInfo>,
}

/// A member in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberInfo {
    /// Names it.
    pub id: MemberId,
    /// What it is.
    pub role: Role,
    /// The version of the state that it holds.
    pub version: u64,
    /// When it was last heard.
    pub seen_at: Timestamp,
    /// Funcs that it could not load: queue and reason.
    pub failed: std::collections::BTreeMap<String, String>,
    /// Whether it was told to stop.
    #[serde(default, skip_serializing_if = "is_false")]
    pub leaving: bool,
    /// Of a runner, what Funcs may ask for.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
}

/// A log line in a listing, with what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When it was written.
    pub at: Timestamp,
    /// The request.
    pub request_id: crate::RequestId,
    /// The execution.
    pub activation: crate::ActivationId,
    /// The route.
    pub route: RouteId,
    /// The bundle.
    pub bundle: BundleSha,
    /// The `operationId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The execution that it was a copy of; no client waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<crate::ActivationId>,
    /// Where it came from.
    pub stream: crate::Stream,
    /// How much it matters.
    #[serde(default)]
    pub level: crate::Level,
    /// The text.
    pub text: String,
}

/// In a stream that is followed: records that were lost because the reader or Tron fell behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// How many.
    pub missed: u64,
}

/// That Tron is alive, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Who answers.
    pub member: MemberId,
    /// The number of the deployment that calls are dispatched by; 0 for none yet.
    pub deployment: u64,
}
