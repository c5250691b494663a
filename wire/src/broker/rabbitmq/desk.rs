//! `Desk`: a channel that several consumers share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

use super::burial::Burial;
use super::clerk::Clerk;

/// A channel that consumers share, and the orders to settle what they were given.
pub(super) struct Desk {
    channel: Channel,
    held: Arc<Held>,
    orders: mpsc::UnboundedSender<Order>,
    /// Whether the broker wants to hear of no delivery again.
    no_ack: bool,
    seats: AtomicUsize,
    next_seat: AtomicU64,
    /// The prefetch is the channel's until a consumer has taken it.
    joining: AsyncMutex<()>,
}

/// What is to become of a delivery. There are never more orders than prefetched deliveries.
pub(super) enum Order {
    Ack(u64),
    Retry(u64),
    Bury(u64, Burial),
    /// A consumer is gone: what it was given goes back.
    Leave(u64, Consumer),
    /// Says when everything before it was told to the broker.
    Flush(oneshot::Sender<()>),
}

/// Which consumer holds which delivery. One whose consumer left is held by nobody.
#[derive(Default)]
pub(super) struct Held(Mutex<HashMap<u64, u64>>);

impl Desk {
    /// A desk, and the work of settling for it, which ends with the desk.
    pub(super) fn new(channel: Channel, no_ack: bool) -> (Self, impl Future<Output = ()> + Send) {
        let (orders, queue) = mpsc::unbounded_channel();
        let held = Arc::new(Held::default());
        let clerk = Clerk::new(channel.clone(), held.clone(), no_ack);
        let (seats, next_seat) = (AtomicUsize::new(0), AtomicU64::new(0));
        let desk = Self { channel, held, orders, no_ack, seats, next_seat, joining: AsyncMutex::default() };
        (desk, clerk.run(queue))
    }

    /// Whether a further consumer may come to it.
    pub(super) fn takes(&self, no_ack: bool, seats_max: usize) -> bool {
        self.no_ack == no_ack
            && self.seats.load(Ordering::Relaxed) < seats_max
            && self.channel.status().connected()
    }

    pub(super) fn is_open(&self) -> bool {
        self.channel.status().connected()
    }

    /// Starts to consume. Returns the consumer and its number at this desk.
    pub(super) async fn join(&self, queue: &str, prefetch: u16) -> lapin::Result<(Consumer, u64)> {
        let seat = self.next_seat.fetch_add(1, Ordering::Relaxed);
        let _one_at_a_time = self.joining.lock().await;
        if !self.no_ack {
            // None at all would be no limit to RabbitMQ.
            self.channel.basic_qos(prefetch.max(1), BasicQosOptions::default()).await?;
        }
        let options = BasicConsumeOptions { no_ack: self.no_ack, ..BasicConsumeOptions::default() };
        let tag = seat.to_string().into();
        let consumer = self.channel.basic_consume(queue.into(), tag, options, FieldTable::default()).await?;
        self.seats.fetch_add(1, Ordering::Relaxed);
        Ok((consumer, seat))
    }

    /// Has the broker send this consumer no more. Returns when everything that it was sent has arrived.
    pub(super) async fn cancel(&self, consumer: &Consumer) -> lapin::Result<()> {
        self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await
    }

    /// Notes that a consumer was given this delivery.
    pub(super) fn give(&self, tag: u64, seat: u64) {
        self.held.add(tag, seat);
    }

    /// Waits until the broker was told of everything that is settled.
    pub(super) async fn flush(&self) {
        let (told, done) = oneshot::channel();
        self.order(Order::Flush(told));
        // Who does not answer has no connection any more.
        let _gone = done.await;
    }

    pub(super) fn order(&self, order: Order) {
        if let Order::Leave(..) = order {
            self.seats.fetch_sub(1, Ordering::Relaxed);
        }
        // Without anybody to settle it the channel is gone, and the broker has taken everything back.
        let _gone = self.orders.send(order);
    }
}

impl Held {
    fn add(&self, tag: u64, seat: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(tag, seat);
    }

    /// Whether this was still held; it is no longer.
    pub(super) fn take(&self, tag: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&tag).is_some()
    }

    /// Whatever one consumer held.
    pub(super) fn take_all(&self, seat: u64) -> Vec<u64> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.extract_if(|_, holder| *holder == seat).map(|(tag, _)| tag).collect()
    }
}
