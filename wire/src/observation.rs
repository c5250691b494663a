//! `Observation`: what operators want to see of routes for a while.

use serde::{Deserialize, Serialize};

use crate::capture::Capture;
use crate::{Level, RouteId, Timestamp, Version};

/// What operators want to see of routes for a while: whole, with a number that grows, as the store has it under
/// `observations/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The version of the message's shape.
    pub v: Version,
    /// Grows with every change.
    pub version: u64,
    /// The captures that run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<Capture>,
    /// The routes whose log lines are wanted from another level on than [`Level::Info`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<RouteLevel>,
}

/// From which level on the log lines of a route are kept, for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteLevel {
    /// The route.
    pub route: RouteId,
    /// The least level that is kept.
    pub level: Level,
    /// Until when.
    pub until: Timestamp,
    /// Who asked for it.
    pub by: String,
}

impl Observation {
    /// How many captures run at a time: each costs every runner a look at each call.
    pub const CAPTURES_MAX: usize = 32;
    /// How many routes have a level of their own at a time.
    pub const LEVELS_MAX: usize = 256;
}
