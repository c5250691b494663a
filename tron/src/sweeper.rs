//! The sweeper: deletes large bodies that no call can need any longer.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::{Chain, Store, Timestamp};

/// Sweeps until `stop`. Several Trons may do it at once: deleting what is gone is no error.
pub(crate) async fn sweep(store: Store, ttl: Duration, period: Duration, stop: CancellationToken) {
    let mut rounds = interval(period);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(rounds.tick()).await.is_some() {
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let before = Timestamp(Timestamp::now().0.saturating_sub(ttl));
        match stop.run_until_cancelled(store.delete_bodies(before)).await {
            Some(Ok(0)) | None => {}
            Some(Ok(deleted)) => info!(deleted, "old bodies deleted"),
            Some(Err(error)) => warn!(error = %Chain(&error), "old bodies not deleted; trying again later"),
        }
    }
}
