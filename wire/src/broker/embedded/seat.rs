//! `Seat`: a consumer's place at an embedded queue, and `Unsettled`, what it holds from there.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::time::timeout_at;

use super::queue::{Queue, Take};
use crate::broker::{Delivery, delivery};

/// A consumer at a queue.
pub(in crate::broker) struct Seat {
    queue: Arc<Queue>,
    id: u64,
    prefetch: usize,
    held: AtomicUsize,
    /// Told when it has room again, and when the queue closes.
    room: Notify,
}

impl Seat {
    pub(super) fn new(queue: Arc<Queue>, id: u64, prefetch: u16) -> Self {
        // A consumer that may hold nothing would wait for ever.
        let prefetch = usize::from(prefetch.max(1));
        Self { queue, id, prefetch, held: AtomicUsize::new(0), room: Notify::new() }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn wake(&self) {
        self.room.notify_one();
    }

    /// Waits for a message; `None` once the queue is closed.
    ///
    /// Cancel-safe: nothing is awaited between taking a message and returning it. No wake-up is lost
    /// either: a seat registers before it looks again, registers only when it has room to take
    /// something, and `Notify` hands a wake-up on when the waiter that got it is dropped.
    pub(in crate::broker) async fn next(self: &Arc<Self>) -> Option<Delivery> {
        loop {
            match self.look() {
                Look::Delivery(delivery) => return Some(delivery),
                Look::Closed => return None,
                Look::NoRoom => self.room.notified().await,
                Look::Empty => {
                    let mut arrived = pin!(self.queue.arrived.notified());
                    arrived.as_mut().enable();
                    if self.queue.is_idle(self.id) {
                        self.wait(arrived).await;
                    }
                }
            }
        }
    }

    /// Waits for a message to arrive, or to be held back no longer.
    async fn wait(&self, arrived: impl Future<Output = ()>) {
        match self.queue.released_next() {
            Some(at) => _ = timeout_at(at, arrived).await,
            None => arrived.await,
        }
    }

    /// Takes a message if one is there.
    pub(in crate::broker) fn try_next(self: &Arc<Self>) -> Option<Delivery> {
        match self.look() {
            Look::Delivery(delivery) => Some(delivery),
            Look::Empty | Look::NoRoom | Look::Closed => None,
        }
    }

    fn look(self: &Arc<Self>) -> Look {
        if self.held.load(Ordering::Acquire) >= self.prefetch {
            return if self.queue.is_closed() { Look::Closed } else { Look::NoRoom };
        }
        match self.queue.take(self.id) {
            Take::Empty => Look::Empty,
            Take::Closed => Look::Closed,
            Take::Message { message, redelivered, tag } => {
                self.held.fetch_add(1, Ordering::AcqRel);
                let unsettled = Unsettled { seat: self.clone(), tag, outcome: Outcome::Retry };
                let unsettled = delivery::Unsettled::Embedded(unsettled);
                Look::Delivery(Delivery { message, redelivered, unsettled })
            }
        }
    }

    /// Gives back what it holds; the deliveries that are still about mean nothing from now on.
    pub(in crate::broker) fn leave(&self) {
        self.queue.leave(self.id);
    }
}

/// What a consumer finds when it looks for its next message.
enum Look {
    Delivery(Delivery),
    Empty,
    NoRoom,
    Closed,
}

/// The duty to settle one delivery. It is done when this is dropped, so it is done exactly once.
pub(in crate::broker) struct Unsettled {
    seat: Arc<Seat>,
    tag: u64,
    outcome: Outcome,
}

/// How a delivery ends.
pub(in crate::broker) enum Outcome {
    Ack,
    Retry,
    DeadLetter(String),
}

impl Unsettled {
    pub(in crate::broker) fn settle(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        let outcome = std::mem::replace(&mut self.outcome, Outcome::Retry);
        self.seat.queue.settle(self.tag, outcome);
        if self.seat.held.fetch_sub(1, Ordering::AcqRel) == self.seat.prefetch {
            self.seat.wake();
        }
    }
}
