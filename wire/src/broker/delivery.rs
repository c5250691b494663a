//! `Consumer`, `Delivery` and `Subscription`: the receiving ends of a broker.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::embedded::Outcome;
use super::{Message, embedded, rabbitmq};

/// Receives a queue's messages. Dropping it gives back what it has not settled: settling those
/// deliveries afterwards does nothing, so keep it until they are settled.
pub struct Consumer(Seat);

/// A consumer's place at a queue of either broker.
enum Seat {
    Embedded(Arc<embedded::Seat>),
    RabbitMq(Box<rabbitmq::Seat>),
}

impl Consumer {
    pub(super) fn embedded(seat: Arc<embedded::Seat>) -> Self {
        Self(Seat::Embedded(seat))
    }

    pub(super) fn rabbitmq(seat: rabbitmq::Seat) -> Self {
        Self(Seat::RabbitMq(Box::new(seat)))
    }

    /// The next message; `None` once the queue is deleted or the connection lost. Waits while as many
    /// deliveries as were asked for are unsettled. Cancel-safe.
    pub async fn next(&mut self) -> Option<Delivery> {
        match &mut self.0 {
            Seat::Embedded(seat) => seat.next().await,
            Seat::RabbitMq(seat) => seat.next().await,
        }
    }

    /// Starts what `handle` makes of each message, in tasks of their own, until `stop` or until the queue or the
    /// connection is gone; then waits for those that run.
    pub async fn spawn_each<F>(mut self, stop: &CancellationToken, mut handle: impl FnMut(Delivery) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut running = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    for delivery in self.stop().await {
                        running.spawn(handle(delivery));
                    }
                    break;
                }
                Some(_) = running.join_next() => {}
                delivery = self.next() => match delivery {
                    Some(delivery) => _ = running.spawn(handle(delivery)),
                    None => break,
                },
            }
        }
        // The consumer goes last: with it, the broker would give what is running to somebody else.
        while running.join_next().await.is_some() {}
    }

    /// Asks for no more. Returns what it had been given by then and nobody has looked at: given back, it would
    /// be taken for what may have been begun.
    pub async fn stop(&mut self) -> Vec<Delivery> {
        match &mut self.0 {
            // It is given what it takes, and nothing ahead.
            Seat::Embedded(_) => Vec::new(),
            Seat::RabbitMq(seat) => seat.stop().await,
        }
    }

    /// The next message if one is there now.
    pub fn try_next(&mut self) -> Option<Delivery> {
        match &mut self.0 {
            Seat::Embedded(seat) => seat.try_next(),
            Seat::RabbitMq(seat) => seat.try_next(),
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        match &mut self.0 {
            Seat::Embedded(seat) => seat.leave(),
            Seat::RabbitMq(seat) => seat.leave(),
        }
    }
}

/// A message that was delivered and has to be settled, once. Dropping it unsettled gives it back.
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Whether it was delivered before.
    pub redelivered: bool,
    pub(super) unsettled: Unsettled,
}

/// The duty to settle a delivery of either broker. It is done when this is dropped, so it is done exactly once.
pub(super) enum Unsettled {
    Embedded(embedded::Unsettled),
    RabbitMq(rabbitmq::Unsettled),
}

impl Delivery {
    /// Its effect is done: the broker forgets it.
    pub fn ack(self) {
        match self.unsettled {
            Unsettled::Embedded(unsettled) => unsettled.settle(Outcome::Ack),
            Unsettled::RabbitMq(unsettled) => unsettled.ack(),
        }
    }

    /// Puts it back at the head of its queue, for any consumer.
    pub fn retry(self) {
        // Which is what happens to one that nobody settles.
        drop(self);
    }

    /// Gives it up: to the queue's dead-letter queue, with the reason.
    pub fn dead_letter(self, reason: &str) {
        match self.unsettled {
            Unsettled::Embedded(unsettled) => unsettled.settle(Outcome::DeadLetter(reason.to_owned())),
            Unsettled::RabbitMq(unsettled) => unsettled.dead_letter(&self.message, reason),
        }
    }
}

/// Receives what is broadcast on a topic.
pub struct Subscription {
    receiver: broadcast::Receiver<Heard>,
}

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A payload.
    Payload(Bytes),
    /// It fell behind or was cut off, and at least this many were lost to it.
    Missed(u64),
}

impl Subscription {
    pub(super) fn new(receiver: broadcast::Receiver<Heard>) -> Self {
        Self { receiver }
    }

    /// What comes next; `None` when the broker is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.receiver.recv().await {
            Ok(heard) => Some(heard),
            Err(RecvError::Lagged(missed)) => Some(Heard::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}
