//! `Consumer`, `Delivery` and `Subscription`: the receiving ends of a broker.

use bytes::Bytes;

use super::Message;

/// Receives a queue's messages. Dropping it gives back what it has not settled.
pub struct Consumer {}

impl Consumer {
    /// The next message; `None` once the queue is deleted or the connection lost. Cancel-safe.
    pub async fn next(&mut self) -> Option<Delivery> {
        unimplemented!()
    }

    /// The next message if one is there now.
    pub fn try_next(&mut self) -> Option<Delivery> {
        unimplemented!()
    }
}

/// A message that was delivered and has to be settled, once. Dropping it unsettled gives it back.
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Whether it was delivered before.
    pub redelivered: bool,
}

impl Delivery {
    /// Its effect is done: the broker forgets it.
    pub fn ack(self) {
        unimplemented!()
    }

    /// Puts it back at the head of its queue, for any consumer.
    pub fn retry(self) {
        unimplemented!()
    }

    /// Gives it up: to the queue's dead-letter queue, with the reason.
    pub fn dead_letter(self, _reason: &str) {
        unimplemented!()
    }
}

/// Receives what is broadcast on a topic.
pub struct Subscription {}

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A payload.
    Payload(Bytes),
    /// It fell behind, and this many were lost to it.
    Missed(u64),
}

impl Subscription {
    /// What comes next; `None` when the broker is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Heard> {
        unimplemented!()
    }
}
