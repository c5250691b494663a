//! `Look`: messages of a queue, taken one after the other and given back as they were.

use std::time::Duration;

use wire::Broker;
use wire::broker::{Consumer, Delivery, Error};

/// How long the next message may take that is known to be there: then somebody else has it.
const PATIENCE: Duration = Duration::from_secs(2);

/// A look into a queue. What is kept goes back into its place when the look ends.
pub(super) struct Look {
    /// Goes before what is kept: with it, the broker gives that back as a whole and in order. One by one
    /// they would come to us again.
    consumer: Option<Consumer>,
    kept: Vec<Delivery>,
    /// Messages that were there when it began.
    pub(super) ready: usize,
    left: usize,
}

impl Look {
    /// Looks at so many of the messages that are there now, and keeps no more than `kept_max`.
    pub(super) async fn at(
        broker: &dyn Broker,
        queue: &str,
        max: usize,
        kept_max: usize,
    ) -> Result<Self, Error> {
        let ready = broker.depth(queue).await?.ready;
        let left = ready.min(max);
        let prefetch = u16::try_from(left.min(kept_max)).unwrap_or(u16::MAX);
        let consumer = if left == 0 { None } else { Some(broker.consume(queue, prefetch).await?) };
        Ok(Self { consumer, kept: Vec::new(), ready, left })
    }

    /// The next message; none when that was all. Those that come meanwhile are not among them.
    pub(super) async fn next(&mut self) -> Option<Delivery> {
        self.left = self.left.checked_sub(1)?;
        let next = self.consumer.as_mut()?.next();
        tokio::time::timeout(PATIENCE, next).await.ok().flatten()
    }

    /// Keeps a message, to give it back at the end.
    pub(super) fn keep(&mut self, delivery: Delivery) {
        self.kept.push(delivery);
    }
}
