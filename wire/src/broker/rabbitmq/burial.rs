//! `Burial`: moves a delivery that was given up to its dead-letter queue.

use std::sync::Weak;

use tracing::warn;

use super::Shared;
use crate::broker::{Error, Message, dead_queue};

/// A delivery that was given up, and where it goes.
pub(super) struct Burial {
    pub(super) broker: Weak<Shared>,
    pub(super) queue: String,
    pub(super) message: Message,
}

impl Burial {
    /// Whether the dead-letter queue has it for certain.
    pub(super) async fn bury(self) -> bool {
        let Some(broker) = self.broker.upgrade() else { return false };
        let outcome = match broker.publish(&self.queue, self.message.clone()).await {
            Err(Error::Unroutable(_)) => match broker.declare(&dead_queue(&self.queue)).await {
                Ok(()) => broker.publish(&self.queue, self.message).await,
                Err(error) => Err(error),
            },
            outcome => outcome,
        };
        if let Err(error) = &outcome {
            warn!(queue = self.queue, %error, "dead letter not accepted: delivery given back");
        }
        outcome.is_ok()
    }
}
