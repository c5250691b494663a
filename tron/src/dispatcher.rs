//! `Dispatcher`: moves calls from the firehose to the queues of Funcs.

mod counts;
mod decision;
mod doubt;
mod moving;
mod sorted;
mod traced;

use std::pin::Pin;
use std::sync::Arc;

use dispatch::Table;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt, poll};
use telemetry::Tracer;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::broker::{self, Consumer, Delivery, REQUESTS};
use wire::{Backoff, Broker, Chain, Timestamp};

use crate::queues::Queues;
use moving::Moving;
use sorted::Sorted;
use traced::Traced;

pub(crate) use counts::Counts;

/// Messages being moved at a time. A broker elsewhere takes a round trip to confirm each, so this many
/// are under way at once; the broker counts them, and sends no more.
const PREFETCH: u16 = 512;

/// Messages taken before others on this thread get their turn: well under a millisecond of work.
const BATCH_MAX: usize = 64;

/// Moves calls from the firehose to the queues of Funcs.
pub(crate) struct Dispatcher {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) table: watch::Receiver<Arc<Table>>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) tracer: Tracer,
}

/// Messages on their way.
type UnderWay<'d> = FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send + 'd>>>;

impl Dispatcher {
    /// Dispatches until shutdown. What is in the firehose then stays there.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut backoff = Backoff::new();
        while let Some(opened) = shutdown.run_until_cancelled(self.open()).await {
            match opened {
                Ok(requests) => {
                    backoff.reset();
                    self.consume(requests, &shutdown).await;
                }
                Err(error) => warn!(error = %Chain(&error), "firehose cannot be consumed"),
            }
            // Which of the two it was, the loop finds out.
            let _ = tokio::time::timeout(backoff.wait(), shutdown.cancelled()).await;
        }
    }

    async fn open(&self) -> Result<Consumer, broker::Error> {
        Queues { broker: Arc::clone(&self.broker) }.declare_shared().await?;
        self.broker.consume(REQUESTS, PREFETCH).await
    }

    /// Moves messages until shutdown, or until the queue or the connection is gone.
    async fn consume(&self, mut requests: Consumer, shutdown: &CancellationToken) {
        let mut under_way = UnderWay::new();
        loop {
            let first = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(()) = under_way.next() => {
                    while let Some(Some(())) = under_way.next().now_or_never() {}
                    continue;
                }
                delivery = requests.next() => match delivery {
                    Some(delivery) => delivery,
                    None => {
                        warn!("firehose lost");
                        break;
                    }
                },
            };
            let table = Arc::clone(&self.table.borrow());
            self.start(&table, first, &mut under_way, shutdown).await;
            for _ in 1..BATCH_MAX {
                let Some(delivery) = requests.try_next() else { break };
                self.start(&table, delivery, &mut under_way, shutdown).await;
            }
            tokio::task::yield_now().await;
        }
        let table = Arc::clone(&self.table.borrow());
        for delivery in requests.stop().await {
            self.start(&table, delivery, &mut under_way, shutdown).await;
        }
        // The consumer goes last: with it, the broker would give what is under way to somebody else.
        while under_way.next().await.is_some() {}
    }

    /// Starts to move a message. A broker in this process is done with it at once; others take it in the
    /// order in which we start, and confirm it later.
    async fn start<'d>(
        &'d self,
        table: &Table,
        delivery: Delivery,
        under_way: &mut UnderWay<'d>,
        shutdown: &'d CancellationToken,
    ) {
        let (traced, payload) = Traced::begin(&self.tracer, &delivery.message.payload);
        let sorted = Sorted::of(table, &payload, delivery.redelivered, Timestamp::now());
        let moving = Moving { broker: &*self.broker, counts: &self.counts, shutdown };
        let mut moved = Box::pin(async move {
            moving.settle(sorted, delivery).await;
            drop(traced);
        });
        if poll!(&mut moved).is_pending() {
            under_way.push(moved);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
