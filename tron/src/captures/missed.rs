//! `Missed`: what runners say that captures missed, until the store has it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wire::{CaptureId, Heartbeat, MemberId};

/// How many calls each runner missed, since its start.
pub(super) type ByRunner = BTreeMap<MemberId, u64>;

/// What runners say that captures missed. They say it for a while after a capture has ended as well.
#[derive(Debug, Default)]
pub(super) struct Missed(Mutex<HashMap<CaptureId, Told>>);

#[derive(Debug, Default)]
struct Told {
    heard: ByRunner,
    noted: ByRunner,
}

impl Missed {
    pub(super) fn hear(&self, heartbeat: &Heartbeat) {
        let Some(report) = heartbeat.runner.as_ref().filter(|report| !report.captures.is_empty()) else {
            return;
        };
        let mut all = self.all();
        for (id, count) in &report.captures {
            all.entry(id.clone()).or_default().heard.insert(heartbeat.member.clone(), *count);
        }
    }

    /// What the store does not have yet.
    pub(super) fn due(&self, id: &CaptureId) -> Option<ByRunner> {
        self.all().get(id).filter(|told| told.heard != told.noted).map(|told| told.heard.clone())
    }

    /// The store has this.
    pub(super) fn note(&self, id: &CaptureId, counts: ByRunner) {
        if let Some(told) = self.all().get_mut(id) {
            told.noted = counts;
        }
    }

    pub(super) fn forget(&self, id: &CaptureId) {
        self.all().remove(id);
    }

    pub(super) fn ids(&self) -> Vec<CaptureId> {
        self.all().keys().cloned().collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<CaptureId, Told>> {
        // A map is whole after every statement: a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
