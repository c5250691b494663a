//! What an operator can ask to see of a route: captures and log levels.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::capture::{Capture, Filter};
use crate::invoke::is_false;
use crate::{Level, Percent, RouteId};

/// Asks for calls of a route to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptureRequest {
    /// The route.
    pub route: RouteId,
    /// Which of its calls; all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Percent>,
    /// Which of those, by what they came to; all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// For how long; an hour when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_seconds: Option<u64>,
    /// How many bytes it may have; 100 MB when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_max: Option<u64>,
    /// How long it is kept; a day when left out, two at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_seconds: Option<u64>,
    /// Whether secrets are kept as well.
    #[serde(default, skip_serializing_if = "is_false")]
    pub secrets: bool,
}

impl CaptureRequest {
    /// So much can be sorted in memory.
    pub const BYTES_MAX: u64 = 1 << 30;
    /// Large bodies are not kept for longer.
    pub const KEEP_MAX: Duration = Duration::from_secs(48 * 60 * 60);
}

/// A capture in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureInfo {
    /// What was asked for.
    pub capture: Capture,
    /// The host of the route, `*` for any.
    pub host: String,
    /// The base path of the route.
    pub base_path: String,
    /// Whether it runs, or why it does not.
    pub state: CaptureState,
    /// How many calls it has.
    pub entries: u64,
    /// How many bytes they are, bodies that lie elsewhere left out.
    pub bytes: u64,
    /// Calls that should have been kept and were not, since there was no room for them.
    pub missed: u64,
}

/// Whether a capture runs, or why it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureState {
    /// It runs.
    Running,
    /// Somebody stopped it.
    Stopped,
    /// It has as many bytes as it may have.
    Full,
    /// Its time is over.
    Expired,
    /// It was written elsewhere and brought here.
    Imported,
}

/// Asks for the log lines of a route from a level on, for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelRequest {
    /// The least level that is kept.
    pub level: Level,
    /// For how long; ten minutes when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_seconds: Option<u64>,
}
