//! Control messages: whole versioned state from Tron to the members, and what members say back.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::broker::{Broker, Topic};
use crate::invoke::is_false;
use crate::report::{PoolReport, RunnerReport};
use crate::{
    ActivationId, BundleSha, Labels, MemberId, Namespace, Observation, Percent, RouteId, Timestamp, Version,
    encode_line,
};

/// A host and base path, and the bundles that serve them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Names the route in queues.
    pub id: RouteId,
    /// The tenant.
    pub namespace: Namespace,
    /// An exact host, or `*` for any.
    pub host: String,
    /// The base path; `/` is the root.
    pub base_path: String,
    /// The bundles that share the route's calls; never empty.
    pub bundles: Vec<WeightedBundle>,
    /// Settings for the Func: an object.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub props: serde_json::Map<String, serde_json::Value>,
    /// What the Func may call, as `host` or `host:port`; nothing when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbound: Vec<String>,
}

/// A bundle and its share of a route's calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightedBundle {
    /// The bundle.
    pub sha: BundleSha,
    /// Its share, relative to the others' weights.
    pub weight: u32,
    /// What it asks of the runners that run it.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub placement: Labels,
    /// What it has to prove before it is trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
}

/// A bundle on trial: copies of the route's calls are run by it and compared, and it goes from the route when it
/// does worse than this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Which calls it is given copies of.
    pub mirror: Percent,
    /// How many of its calls may fail.
    pub failures_max: Percent,
    /// How many of the copies may be answered otherwise.
    pub differences_max: Percent,
    /// How many calls or copies there have to be before it is judged.
    pub calls_min: u64,
    /// Names it among the trials of its bundle: Tron's log was about to get this entry when it began. What a request
    /// says of it counts for nothing.
    #[serde(default)]
    pub began: u64,
}

impl Trial {
    /// Whether as much is asked of the bundle as in another trial.
    pub fn asks_as(&self, other: &Self) -> bool {
        Self { began: other.began, ..self.clone() } == *other
    }
}

impl Route {
    /// The name of the queue that this bundle's calls on this route wait in.
    pub fn queue(&self, sha: &BundleSha) -> String {
        format!("func.{}.{}", self.id, sha.short())
    }
}

/// What Tron tells everybody. Each message is the whole state, so that a lost one does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Control {
    /// To whoever dispatches: the route table.
    Routes {
        /// The version of the message's shape.
        v: Version,
        /// The number of the deployment that this is.
        version: u64,
        /// Every route.
        routes: Vec<Route>,
        /// The queues whose Funcs nobody can run at present, and why: who dispatches answers their calls. Of
        /// one version, the message that came last holds.
        #[serde(default)]
        unserved: BTreeMap<String, String>,
    },
    /// To runners: what to consume.
    Assignment(Assignment),
    /// To runners: what operators want to see of routes. Told again every second, as it changes with the time.
    Observation(Observation),
    /// To runners: calls that are not to be begun, and to be stopped where they run.
    Cancel {
        /// The version of the message's shape.
        v: Version,
        /// The calls, [`Control::CANCELS_MAX`] at most; told again until each has ended.
        activations: Vec<ActivationId>,
    },
}

impl Control {
    /// The calls that are being cancelled at a time: what runners keep in mind, and what one message holds.
    pub const CANCELS_MAX: usize = 4_096;
}

/// The members of a [`Control`] that say what it is and how new. Reading them skips over the rest.
#[derive(Debug, Deserialize)]
pub struct ControlHead {
    /// The version of the message's shape.
    pub v: Version,
    /// Which of them it is.
    pub kind: ControlKind,
    /// The number of the deployment, or of the observation, that it is about; 0 when it is about none.
    #[serde(default)]
    pub version: u64,
    /// In a message of routes: the queues whose Funcs nobody can run at present, and why.
    #[serde(default)]
    pub unserved: Option<BTreeMap<String, String>>,
}

/// Which [`Control`] a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlKind {
    /// [`Control::Routes`].
    Routes,
    /// [`Control::Assignment`].
    Assignment,
    /// [`Control::Observation`].
    Observation,
    /// Another, perhaps of a later build.
    #[serde(other)]
    Other,
}

/// The Funcs that runners are to serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The version of the message's shape.
    pub v: Version,
    /// The number of the deployment that this is: the same from every Tron. Of one version, the message that
    /// came last holds, since what is being drained changes within it.
    pub version: u64,
    /// Every Func, those that are being drained included.
    pub funcs: Vec<FuncAssignment>,
}

/// One bundle on one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuncAssignment {
    /// The queue to consume.
    pub queue: String,
    /// The route.
    pub route: RouteId,
    /// The tenant.
    pub namespace: Namespace,
    /// The route's base path, which the bundle's operations are matched below.
    pub base_path: String,
    /// The bundle.
    pub sha: BundleSha,
    /// Settings for the Func.
    #[serde(default)]
    pub props: serde_json::Map<String, serde_json::Value>,
    /// What the Func may call.
    #[serde(default)]
    pub outbound: Vec<String>,
    /// What it asks of runners: those that have all of this run it, and nobody else.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub placement: Labels,
    /// Which of these run it; each of them, when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<MemberId>>,
    /// Whether no route names it any more: its queue is consumed for as long as there is one, and never
    /// declared, since it is deleted once it is empty and nobody consumes it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub draining: bool,
    /// The bundles on trial that get copies of its calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<Mirror>,
}

/// Where copies of a Func's calls go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirror {
    /// The queue of the bundle on trial.
    pub queue: String,
    /// Which calls.
    pub share: Percent,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// HTTP in, HTTP out.
    Frontend,
    /// Dispatcher and control plane.
    Tron,
    /// Runs Funcs.
    Runner,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Frontend => "frontend",
            Self::Tron => "tron",
            Self::Runner => "runner",
        })
    }
}

/// What a member says about itself, regularly and at every change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The version of the message's shape.
    pub v: Version,
    /// Who speaks.
    pub member: MemberId,
    /// What it is.
    pub role: Role,
    /// When it was sent.
    pub at: Timestamp,
    /// The version of the state that it holds; 0 for none.
    pub version: u64,
    /// Funcs of that version that it could not load: queue -> reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, String>,
    /// Whether it was told to stop: it finishes what it has and takes nothing more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub leaving: bool,
    /// What a runner says beyond that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<RunnerReport>,
    /// The pools of a Tron that scales them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolReport>,
}

impl Heartbeat {
    /// How often members send one: a lost control message is repaired before a person notices. One number
    /// for all, since who is silent for a few of these is taken for gone.
    pub const INTERVAL: Duration = Duration::from_secs(1);

    /// That this member is alive, now, and holds this version whole.
    pub fn now(member: MemberId, role: Role, version: u64) -> Self {
        Self {
            v: Version,
            member,
            role,
            at: Timestamp::now(),
            version,
            failed: BTreeMap::new(),
            leaving: false,
            runner: None,
            pools: Vec::new(),
        }
    }

    /// Tells everybody. One that is lost is followed by another.
    pub async fn send(&self, broker: &dyn Broker) {
        // A heartbeat is texts and numbers: it can always be written.
        let line = encode_line(self).unwrap_or_default();
        if let Err(error) = broker.broadcast(Topic::Heartbeats, line).await {
            warn!(%error, "heartbeat not sent");
        }
    }
}
