//! `Consumption`: one thread's share of one Func's queue.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::broker::{self, Consumer, func_queue};
use wire::{Backoff, Broker, Chain};

use crate::deployed::Deployed;
use crate::handling::{Handling, Hands};

/// One thread's share of one Func's queue.
pub(crate) struct Consumption {
    broker: Arc<dyn Broker>,
    deployed: Arc<Deployed>,
    handling: Handling,
    prefetch: u16,
}

impl Consumption {
    pub(crate) fn new(
        broker: Arc<dyn Broker>,
        hands: Arc<Hands>,
        deployed: Arc<Deployed>,
        prefetch: u16,
    ) -> Self {
        Self { broker, handling: Handling::new(hands, deployed.clone()), deployed, prefetch }
    }

    /// Consumes until `stop`, then finishes what is running.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new();
        while !stop.is_cancelled() {
            match self.open().await {
                Ok(consumer) => {
                    backoff.reset();
                    consumer.spawn_each(&stop, |delivery| self.handling.clone().deliver(delivery)).await;
                }
                Err(error) => {
                    warn!(queue = %self.deployed.queue, error = %Chain(&error), "queue cannot be consumed");
                }
            }
            // Which of the two it was, the loop finds out.
            let _ = tokio::time::timeout(backoff.wait(), stop.cancelled()).await;
        }
    }

    async fn open(&self) -> Result<Consumer, broker::Error> {
        let Deployed { queue, route, .. } = &*self.deployed;
        match self.broker.consume(queue, self.prefetch).await {
            // It may have gone away together with the broker's memory. One that drains is gone for good then.
            Err(broker::Error::Unroutable(_)) if !self.deployed.is_draining() => {
                self.broker.declare(&func_queue(queue, route)).await?;
                self.broker.consume(queue, self.prefetch).await
            }
            opened => opened,
        }
    }
}
