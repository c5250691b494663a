//! `Clerk`: settles the deliveries of one desk, several at a time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{FutureExt, StreamExt};
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicNackOptions};
use lapin::{Channel, Consumer};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;

use super::burial::Burial;
use super::desk::{Held, Order};
use super::settlement::Settlement;

/// How long a delivery stays with us that could not be given up: its dead-letter queue is full or the broker
/// takes nothing, and it would be back at once.
const BURIAL_PAUSE: Duration = Duration::from_secs(5);
/// How many orders one turn takes up.
const TURN_MAX: usize = 1024;

/// Settles for one desk.
pub(super) struct Clerk {
    channel: Channel,
    held: Arc<Held>,
    no_ack: bool,
    settlement: Settlement,
    /// What takes longer than a turn.
    errands: JoinSet<Done>,
}

/// Deliveries whose fate is known, and that nobody holds any longer.
#[derive(Default)]
struct Settled {
    acked: Vec<u64>,
    given_back: Vec<u64>,
    /// Who waits for the broker to be told.
    flushes: Vec<oneshot::Sender<()>>,
}

/// What an errand came to.
enum Done {
    Buried(u64),
    NotBuried(u64),
    /// A consumer left, and these were its deliveries.
    Left(Vec<u64>),
}

impl Clerk {
    pub(super) fn new(channel: Channel, held: Arc<Held>, no_ack: bool) -> Self {
        Self { channel, held, no_ack, settlement: Settlement::default(), errands: JoinSet::new() }
    }

    /// Settles until nobody can order anything and everything is done.
    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut turn = Vec::new();
        loop {
            tokio::select! {
                count = orders.recv_many(&mut turn, TURN_MAX) => {
                    if count == 0 {
                        break;
                    }
                    // What the same turn of the event loop settles as well is told with it.
                    yield_now().await;
                    let _more = orders.recv_many(&mut turn, TURN_MAX.saturating_sub(count)).now_or_never();
                    let settled = self.sort(turn.drain(..));
                    self.settle(settled).await;
                }
                Some(Ok(done)) = self.errands.join_next() => self.finish(done).await,
            }
        }
        while let Some(done) = self.errands.join_next().await {
            self.finish(done.unwrap_or(Done::Left(Vec::new()))).await;
        }
    }

    fn sort(&mut self, orders: impl Iterator<Item = Order>) -> Settled {
        let mut settled = Settled::default();
        for order in orders {
            match order {
                Order::Ack(tag) if self.held.take(tag) => settled.acked.push(tag),
                Order::Retry(tag) if self.held.take(tag) => settled.given_back.push(tag),
                Order::Ack(_) | Order::Retry(_) => {}
                Order::Flush(told) => settled.flushes.push(told),
                Order::Bury(tag, burial) => _ = self.errands.spawn(bury(tag, burial)),
                Order::Leave(seat, consumer) => {
                    let held = self.held.take_all(seat);
                    self.errands.spawn(leave(self.channel.clone(), consumer, held, self.no_ack));
                }
            }
        }
        settled
    }

    async fn finish(&mut self, done: Done) {
        let mut settled = Settled::default();
        match done {
            Done::Buried(tag) if self.held.take(tag) => settled.acked.push(tag),
            Done::NotBuried(tag) if self.held.take(tag) => settled.given_back.push(tag),
            Done::Buried(_) | Done::NotBuried(_) => {}
            Done::Left(tags) => settled.given_back = tags,
        }
        self.settle(settled).await;
    }

    /// Tells the broker. What is given back goes first, since an acknowledgement may cover what is before it.
    async fn settle(&mut self, settled: Settled) {
        let Settled { acked, given_back, flushes } = settled;
        let options = BasicNackOptions { multiple: false, requeue: true };
        let nacks = given_back.iter().map(|tag| self.channel.basic_nack(*tag, options));
        // A channel that is gone has given back everything by itself.
        let _closed = join_all(nacks).await;
        self.settlement.settled(given_back);
        let acks = self.settlement.acks(&acked);
        let together = acks.up_to.into_iter().map(|tag| (tag, true));
        let apart = acks.single.into_iter().map(|tag| (tag, false));
        let acks = together
            .chain(apart)
            .map(|(tag, multiple)| self.channel.basic_ack(tag, BasicAckOptions { multiple }));
        let _closed = join_all(acks).await;
        // Whoever gave up waiting needs no answer.
        flushes.into_iter().for_each(|told| _ = told.send(()));
    }
}

async fn bury(tag: u64, burial: Burial) -> Done {
    if burial.bury().await {
        return Done::Buried(tag);
    }
    sleep(BURIAL_PAUSE).await;
    Done::NotBuried(tag)
}

/// Ends a consumer. What the broker had sent it by then and nobody looked at goes back as well.
async fn leave(channel: Channel, mut consumer: Consumer, mut held: Vec<u64>, no_ack: bool) -> Done {
    let cancelled = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await;
    if cancelled.is_err() || no_ack {
        return Done::Left(Vec::new());
    }
    while let Some(Some(Ok(delivery))) = consumer.next().now_or_never() {
        held.push(delivery.delivery_tag);
    }
    // Whoever waits for them gets each as it comes back: they come back in the order in which they were sent.
    held.sort_unstable();
    Done::Left(held)
}
