//! `CaptureHeader`: the first line of a file of captured calls.

use serde::{Deserialize, Serialize};

use super::Capture;
use crate::{Timestamp, Version};

/// The first line of a file of captured calls; one [`super::CaptureEntry`] a line follows, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureHeader {
    /// The version of the file's shape.
    pub v: Version,
    /// Marks the file: always `funcatron-capture`.
    pub kind: FileKind,
    /// When it was written.
    pub at: Timestamp,
    /// What was asked for.
    pub capture: Capture,
    /// Where the route is: host, `*` for any, and base path.
    pub host: String,
    /// The base path.
    pub base_path: String,
    /// How many entries follow.
    pub entries: u64,
    /// Calls that should have been kept and were not, since there was no room for them.
    #[serde(default)]
    pub missed: u64,
}

/// Marks a file of captured calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// The only kind.
    #[default]
    #[serde(rename = "funcatron-capture")]
    Capture,
}
