//! What runners, and Trons that scale them, report with their heartbeats.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CaptureId, Histogram, Labels, PoolName};

/// What a runner is, and what it has done since it began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerReport {
    /// The pool that it was started for; none when somebody started it by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolName>,
    /// What the substrate that started it calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What Funcs may ask for.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Threads that run Funcs.
    pub threads: usize,
    /// Calls that may run at once on all of them together.
    pub slots: usize,
    /// Microseconds of processors that its process has used: beside Funcs, what it takes to hand them their calls.
    #[serde(default)]
    pub cpu_us: u64,
    /// How many Funcs it holds at most, where that is bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funcs_max: Option<usize>,
    /// Its Funcs that had something to do lately, by queue.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub funcs: BTreeMap<String, FuncStats>,
    /// Calls that a running capture should have kept and that there was no room for, since the runner began; only
    /// captures that lost some.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub captures: BTreeMap<CaptureId, u64>,
}

impl RunnerReport {
    /// How many slots of a thread a Func may hold for each that is left free. The more one holds, the more it
    /// leaves to the others: alone it gets three quarters, two get three sevenths each, and there is always
    /// one left.
    pub const SLOTS_HELD_PER_FREE: usize = 3;
}

/// What a runner has done for a Func since it began: a report that is lost is made up for by the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuncStats {
    /// Calls that it was given.
    pub arrivals: u64,
    /// Messages that they came in.
    pub deliveries: u64,
    /// Calls that ended with a status of 500 or more.
    pub failures: u64,
    /// Copies of calls that it has run on trial and compared; they are not among the calls.
    #[serde(default)]
    pub compared: u64,
    /// Those of them that were answered otherwise.
    #[serde(default)]
    pub different: u64,
    /// Calls that run at present.
    pub in_flight: u64,
    /// Calls that it was given and that wait for room at present.
    pub waiting: u64,
    /// Microseconds from a call's acceptance by the frontend until it was begun.
    pub queue_us: Histogram,
    /// Microseconds from then to its answer. Those that have not ended are not among them.
    pub service_us: Histogram,
    /// Microseconds of slots that calls have held, those that run included.
    pub busy_us: u64,
    /// Microseconds of processors that calls have used.
    pub cpu_us: u64,
}

/// A pool of runners, as the Tron sees it that scales it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolReport {
    /// Names it.
    pub name: PoolName,
    /// What its runners have.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// What starts and stops them: `process`, `docker` or `swarm`.
    pub substrate: String,
    /// Never fewer runners than this.
    pub runners_min: usize,
    /// Never more than this.
    pub runners_max: usize,
    /// How many there are to be.
    pub wanted: usize,
    /// How many there are, as the substrate says; none when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<usize>,
    /// How many of them report that they serve.
    pub ready: usize,
    /// Why that many are wanted, in words.
    pub why: String,
    /// What an operator has to look at, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
    /// What one of its runners costs in an hour, in the operator's money.
    pub cost_per_hour: f64,
}
