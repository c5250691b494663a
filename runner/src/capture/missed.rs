//! `Missed`: how many calls captures should have kept and did not, for want of room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use wire::capture::Capture;
use wire::{CaptureId, Observation};

/// Captures that are remembered: those that run and as many before them, of which reports may be under way.
const REMEMBERED_MAX: usize = 2 * Observation::CAPTURES_MAX;

/// Counts since the start of the runner.
#[derive(Debug, Default)]
pub(crate) struct Missed(Mutex<BTreeMap<CaptureId, u64>>);

impl Missed {
    pub(super) fn add(&self, captures: &[Arc<Capture>], calls: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for capture in captures {
            *counts.entry(capture.id.clone()).or_default() += calls;
        }
        while counts.len() > REMEMBERED_MAX {
            // Ids sort by time: the oldest goes.
            counts.pop_first();
        }
    }

    /// The captures that missed some, and how many.
    pub(crate) fn counts(&self) -> BTreeMap<CaptureId, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
