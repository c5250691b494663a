//! `History`: what was seen of each pool over the last minutes, and what was wished for it.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::PoolName;

use crate::mix::Mix;
use crate::service::Services;
use crate::track::{Peak, Track};

/// What was seen over the last minutes, and what was wished. Whoever begins to lead begins with an empty
/// one: until it has seen a stable window, nothing shrinks.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub(crate) services: Services,
    /// When stats were seen last.
    pub(crate) seen_at: Option<Duration>,
    pub(crate) pools: BTreeMap<PoolName, Past>,
}

/// What was seen of one pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    pub(crate) track: Track,
    /// What arrived for sure, in runners.
    pub(crate) sure: Peak,
    /// What served the load with room for chance.
    pub(crate) steady: Peak,
    /// How the calls are mixed, which shows over many of them only.
    pub(crate) mix: Option<Mix>,
    /// How many runners reported.
    pub(crate) ready: Peak,
    /// How many runners there were to be. None before the substrate has said how many there are.
    pub(crate) wished: Option<usize>,
    /// When that grew last.
    pub(crate) grown_at: Option<Duration>,
    /// Since when there are runners of which none reports.
    pub(crate) silent_since: Option<Duration>,
}

impl History {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }
}
