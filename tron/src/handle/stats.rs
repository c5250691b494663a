//! What the platform does at present, as an operator asks for it.

use std::collections::HashMap;

use tokio::time::Instant;
use wire::admin::{Deployment, Stats};
use wire::{RouteId, Timestamp};

use super::Handle;
use crate::Rejection;
use crate::stats::overview;
use crate::trials;

/// Bundles that are read for their titles each time. The next time, those of the others follow.
const TITLES_READ_MAX: usize = 16;

impl Handle {
    /// What the platform does at present.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stats(&self) -> Result<Stats, Rejection> {
        let state = self.shared.log.current().await?;
        let snapshot = self.shared.statistics.snapshot(Instant::now());
        let mut routes = overview::routes(&state, &snapshot);
        let mut titles = self.titles(&state).await;
        routes.iter_mut().for_each(|route| route.title = titles.remove(&route.id));
        let mut alarms = overview::alarms(&state, &snapshot);
        alarms.extend(overview::unserved(&state, &self.shared.status.borrow().unserved));
        let trials = trials::reports(&state, &self.shared.statistics);
        Ok(Stats { at: Timestamp::now(), routes, pools: snapshot.pools, trials, alarms })
    }

    /// The titles of routes, as far as they are at hand.
    async fn titles(&self, state: &Deployment) -> HashMap<RouteId, String> {
        let (mut titles, mut read) = (HashMap::new(), 0);
        for route in &state.routes {
            let Some(bundle) = route.bundles.first() else { continue };
            let mut info = self.shared.bundles.known(&bundle.sha);
            if info.is_none() && read < TITLES_READ_MAX {
                read += 1;
                // A bundle that cannot be read has no title; other requests say why.
                info = self.shared.bundles.info(&bundle.sha).await.ok();
            }
            titles.extend(info.map(|info| (route.id.clone(), info.title.clone())));
        }
        titles
    }
}
