//! Forgets calls that nobody may ask for any more.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::{Chain, Store, Timestamp};

/// Clocks differ, and who accepted a call says when it expires: records stay a little longer than that.
const MARGIN: Duration = Duration::from_secs(60 * 60);

/// Deletes old records until `stop`. Several Trons may do it at once: deleting what is gone is no error.
/// A call may take `ttl`, and its result is kept as long again.
pub(super) async fn run(store: Store, ttl: Duration, period: Duration, stop: CancellationToken) {
    let kept = ttl.saturating_mul(2).saturating_add(MARGIN);
    let kept = u64::try_from(kept.as_millis()).unwrap_or(u64::MAX);
    let mut rounds = interval(period);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(rounds.tick()).await.is_some() {
        let before = Timestamp(Timestamp::now().0.saturating_sub(kept));
        match stop.run_until_cancelled(store.delete_calls(before)).await {
            Some(Ok(0)) | None => {}
            Some(Ok(deleted)) => info!(deleted, "records of old calls deleted"),
            Some(Err(error)) => warn!(error = %Chain(&error), "records of old calls not deleted"),
        }
    }
}
