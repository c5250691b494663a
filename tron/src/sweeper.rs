//! `Sweeper`: deletes what is in the store of calls that nobody can ask for any longer.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::{Chain, Store, Timestamp, store};

use crate::Config;

/// Clocks differ, and who accepted a call says when it expires: records stay a little longer than that.
const MARGIN: Duration = Duration::from_secs(60 * 60);

/// Deletes what is old. Several Trons may do it at once: deleting what is gone is no error.
pub(crate) struct Sweeper {
    store: Store,
    /// How long the records of a call are kept.
    records_ttl: Duration,
    /// How long large bodies are kept.
    bodies_ttl: Duration,
    period: Duration,
}

impl Sweeper {
    pub(crate) fn new(config: &Config, store: Store) -> Self {
        // A call may take as long, and its result is kept as long again.
        let of_calls = config.calls_ttl.saturating_mul(2);
        Self {
            store,
            records_ttl: of_calls.saturating_add(MARGIN),
            // What a call or its result refers to is there for as long as they are: it may be begun again as long
            // as it could be begun at first.
            bodies_ttl: config.bodies_ttl.max(of_calls),
            period: config.sweep_interval,
        }
    }

    /// Sweeps until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut rounds = wire::ticks(self.period);
        while stop.run_until_cancelled(rounds.tick()).await.is_some() {
            let now = Timestamp::now();
            let records = self.store.delete_calls(now.before(self.records_ttl));
            told("records of old calls", stop.run_until_cancelled(records).await);
            let bodies = self.store.delete_bodies(now.before(self.bodies_ttl));
            told("old bodies", stop.run_until_cancelled(bodies).await);
        }
    }
}

/// Nothing to tell where nothing was deleted, or the sweep was stopped.
fn told(what: &str, deleted: Option<Result<usize, store::Error>>) {
    match deleted {
        Some(Ok(0)) | None => {}
        Some(Ok(deleted)) => info!(deleted, "{what} deleted"),
        Some(Err(error)) => warn!(error = %Chain(&error), "{what} not deleted; trying again later"),
    }
}
