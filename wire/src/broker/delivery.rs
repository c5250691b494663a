//! `Consumer`, `Delivery` and `Subscription`: the receiving ends of a broker.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Message;
use super::embedded::{Outcome, Seat, Unsettled};

/// Receives a queue's messages. Dropping it gives back what it has not settled: settling those
/// deliveries afterwards does nothing, so keep it until they are settled.
pub struct Consumer {
    seat: Arc<Seat>,
}

impl Consumer {
    pub(super) fn new(seat: Arc<Seat>) -> Self {
        Self { seat }
    }

    /// The next message; `None` once the queue is deleted or the connection lost. Waits while as many
    /// deliveries as were asked for are unsettled. Cancel-safe.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.seat.next().await
    }

    /// The next message if one is there now.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.seat.try_next()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.seat.leave();
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

impl Delivery {
    /// Its effect is done: the broker forgets it.
    pub fn ack(self) {
        self.unsettled.settle(Outcome::Ack);
    }

    /// Puts it back at the head of its queue, for any consumer.
    pub fn retry(self) {
        self.unsettled.settle(Outcome::Retry);
    }

    /// Gives it up: to the queue's dead-letter queue, with the reason.
    pub fn dead_letter(self, reason: &str) {
        self.unsettled.settle(Outcome::DeadLetter(reason.to_owned()));
    }
}

/// Receives what is broadcast on a topic.
pub struct Subscription {
    receiver: broadcast::Receiver<Bytes>,
}

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A payload.
    Payload(Bytes),
    /// It fell behind, and this many were lost to it.
    Missed(u64),
}

impl Subscription {
    pub(super) fn new(receiver: broadcast::Receiver<Bytes>) -> Self {
        Self { receiver }
    }

    /// What comes next; `None` when the broker is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.receiver.recv().await {
            Ok(payload) => Some(Heard::Payload(payload)),
            Err(RecvError::Lagged(missed)) => Some(Heard::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}
