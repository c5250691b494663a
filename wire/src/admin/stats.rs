//! What the platform does at present, as the admin API tells it.

use serde::{Deserialize, Serialize};

use crate::{BundleSha, PoolReport, RouteId, Timestamp, Trial};

/// What the platform does at present.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// When that was.
    pub at: Timestamp,
    /// Every route, by host and base path. Rates and times are of the last seconds.
    pub routes: Vec<RouteStats>,
    /// The pools of runners, as the Tron says that scales them; none when nobody does.
    pub pools: Vec<PoolReport>,
    /// The bundles that are on trial.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<TrialReport>,
    /// What an operator has to look at.
    pub alarms: Vec<String>,
}

/// How a bundle on trial does, as far as the Tron knows that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialReport {
    /// The route.
    pub route: RouteId,
    /// The bundle.
    pub sha: BundleSha,
    /// What it has to prove.
    pub trial: Trial,
    /// Its share of the route's calls.
    pub weight: u32,
    /// Calls of clients that it has answered.
    pub calls: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Copies of calls that it has answered as well.
    pub compared: u64,
    /// Those of them that it answered otherwise.
    pub different: u64,
}

/// What a route does at present.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteStats {
    /// Names the route.
    pub id: RouteId,
    /// An exact host, or `*`.
    pub host: String,
    /// The base path.
    pub base_path: String,
    /// The title of the document of its first bundle, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Calls that runners were given, in a second.
    pub rate: f64,
    /// Calls that ended with a status of 500 or more, in a second.
    pub failures: f64,
    /// Messages that wait at the broker, when it says.
    pub queued: Option<u64>,
    /// Calls that wait in runners.
    pub waiting: u64,
    /// Calls that run.
    pub in_flight: u64,
    /// Milliseconds from a call's acceptance until it was begun; none when there was none.
    pub queue_ms: Option<Quantiles>,
    /// Milliseconds from then to its answer.
    pub service_ms: Option<Quantiles>,
    /// Milliseconds of a processor that a call uses, on average.
    pub cpu_ms: Option<f64>,
    /// Runners that serve it.
    pub runners: usize,
    /// What a call costs, in the operator's money; none when the pools of its runners have no price.
    pub cost_per_call: Option<f64>,
}

/// What half of all calls stay below, and what all but one in a hundred do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
}
