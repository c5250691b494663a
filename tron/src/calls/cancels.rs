//! Tells runners which calls are to be cancelled.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::broker::Topic;
use wire::{Broker, Chain, Control, Store, Version, encode_line};

/// Tells them again and again for as long as there are any, until `stop`: who was away hears it later, and
/// what waits in a queue is known to be cancelled when its turn comes.
pub(super) async fn tell(broker: Arc<dyn Broker>, store: Store, period: Duration, stop: CancellationToken) {
    let mut rounds = wire::ticks(period);
    let mut were_none = true;
    while stop.run_until_cancelled(rounds.tick()).await.is_some() {
        let activations = match stop.run_until_cancelled(store.cancelling_calls(Control::CANCELS_MAX)).await {
            Some(Ok(activations)) => activations,
            Some(Err(error)) => {
                warn!(error = %Chain(&error), "cancelled calls not known");
                continue;
            }
            None => return,
        };
        // That there are none any more is told once.
        let are_none = activations.is_empty();
        if std::mem::replace(&mut were_none, are_none) && are_none {
            continue;
        }
        // Ids can always be written.
        let line = encode_line(&Control::Cancel { v: Version, activations }).unwrap_or_default();
        if let Err(error) = broker.broadcast(Topic::Control, line).await {
            warn!(%error, "cancelled calls not told");
        }
    }
}
