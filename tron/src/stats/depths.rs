//! `Depths`: looks at what the queues of Funcs hold, some hundred at a time, whatever else goes on.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use wire::{Chain, broker};

use super::Statistics;
use crate::queues::Queues;

/// As often as scaling decides: each look that is older adds as much to what everybody waits for when a burst begins.
const INTERVAL: Duration = Duration::from_millis(500);

/// Looks at the queues of Funcs.
pub(crate) struct Depths {
    pub(crate) statistics: Arc<Statistics>,
    pub(crate) queues: Queues,
}

impl Depths {
    /// Looks until shutdown. While the broker does not say, nothing new is known.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut ticks = wire::ticks(INTERVAL);
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            self.statistics.forget(Instant::now());
            match shutdown.run_until_cancelled(self.look()).await {
                Some(Ok(())) => {}
                // The reconciler tells of a broker that is away.
                Some(Err(error)) => debug!(error = %Chain(&error), "queues not looked at"),
                None => return,
            }
        }
    }

    /// One turn, in the order of what matters most. One look after the other: whoever declares a queue or begins to
    /// consume asks the broker by the same channel, and is not to wait for hundreds of answers.
    async fn look(&self) -> Result<(), broker::Error> {
        for queue in self.statistics.next_looks(Instant::now()) {
            let depth = self.queues.depth(&queue).await?;
            self.statistics.measure(&queue, depth, Instant::now());
        }
        Ok(())
    }
}
