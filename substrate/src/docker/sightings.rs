//! `Sightings`: for how long something has been seen as it is, by our own clock: engines have others.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Sightings(Mutex<HashMap<String, Instant>>);

impl Sightings {
    /// How long each of these has been seen; what is not among them is forgotten.
    pub(super) fn see(&self, sights: HashSet<String>) -> HashMap<String, Duration> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|sight, _since| sights.contains(sight));
        let now = Instant::now();
        sights
            .into_iter()
            .map(|sight| {
                let since = *seen.entry(sight.clone()).or_insert(now);
                (sight, now - since)
            })
            .collect()
    }
}
