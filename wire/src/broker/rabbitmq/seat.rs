//! `Seat`: a consumer's place at a desk, and `Unsettled`, what it holds from there.

use std::sync::{Arc, Weak};

use futures_util::{FutureExt, StreamExt};
use lapin::Consumer;
use lapin::message::Delivery as Delivered;

use super::burial::Burial;
use super::desk::{Desk, Order};
use super::{Shared, envelope};
use crate::broker::{Delivery, Message, delivery};

/// What is consumed, and how.
pub(super) struct Place {
    pub(super) shared: Weak<Shared>,
    pub(super) queue: String,
    /// Whether deliveries count as settled when they arrive.
    pub(super) no_ack: bool,
    pub(super) dead_letter: Option<String>,
}

/// A consumer of one queue.
pub(in crate::broker) struct Seat {
    base: Arc<Base>,
    number: u64,
    /// Nothing once it has ended.
    consumer: Option<Consumer>,
}

/// What a seat and its deliveries share.
struct Base {
    place: Place,
    desk: Arc<Desk>,
}

impl Seat {
    pub(super) fn new(place: Place, desk: Arc<Desk>, joined: (Consumer, u64)) -> Self {
        let (consumer, number) = joined;
        Self { base: Arc::new(Base { place, desk }), number, consumer: Some(consumer) }
    }

    /// Waits for a message; `None` once the queue, the channel or the connection is gone. Cancel-safe:
    /// nothing is awaited between taking a message and returning it.
    pub(in crate::broker) async fn next(&mut self) -> Option<Delivery> {
        let delivered = self.consumer.as_mut()?.next().await;
        self.given(delivered)
    }

    /// Takes a message if one is there.
    pub(in crate::broker) fn try_next(&mut self) -> Option<Delivery> {
        let delivered = self.consumer.as_mut()?.next().now_or_never()?;
        self.given(delivered)
    }

    fn given(&mut self, delivered: Option<lapin::Result<Delivered>>) -> Option<Delivery> {
        let Some(Ok(delivered)) = delivered else {
            self.leave();
            return None;
        };
        Some(self.take(delivered))
    }

    /// Asks the broker for no more; what it had sent by then is this consumer's all the same.
    pub(in crate::broker) async fn stop(&mut self) -> Vec<Delivery> {
        let Some(consumer) = &mut self.consumer else { return Vec::new() };
        if self.base.desk.cancel(consumer).await.is_err() {
            // The channel is gone, and the broker has taken everything back.
            return Vec::new();
        }
        let mut given = Vec::new();
        while let Some(Some(Ok(delivered))) = consumer.next().now_or_never() {
            given.push(delivered);
        }
        given.into_iter().map(|delivered| self.take(delivered)).collect()
    }

    fn take(&self, delivered: Delivered) -> Delivery {
        let (tag, redelivered) = (delivered.delivery_tag, delivered.redelivered);
        let base = (!self.base.place.no_ack).then(|| self.base.clone());
        if base.is_some() {
            self.base.desk.give(tag, self.number);
        }
        let unsettled = delivery::Unsettled::RabbitMq(Unsettled { base, tag });
        Delivery { message: envelope::message(delivered), redelivered, unsettled }
    }

    /// Ends it: what it holds goes back.
    pub(in crate::broker) fn leave(&mut self) {
        let Some(consumer) = self.consumer.take() else { return };
        let Base { place, desk } = &*self.base;
        if let Some(shared) = place.shared.upgrade().filter(|_| desk.is_open()) {
            // It may be deleted from now on; whoever wants to consume it again declares it.
            shared.forget(&place.queue);
        }
        desk.order(Order::Leave(self.number, consumer));
    }
}

/// The duty to settle one delivery, if the broker wants to hear of it. Dropping it gives it back.
pub(in crate::broker) struct Unsettled {
    /// Nothing once it is settled.
    base: Option<Arc<Base>>,
    tag: u64,
}

impl Unsettled {
    pub(in crate::broker) fn ack(mut self) {
        self.order(|tag, _| Order::Ack(tag));
    }

    pub(in crate::broker) fn dead_letter(mut self, message: &Message, reason: &str) {
        self.order(|tag, place| {
            let Some(queue) = place.dead_letter.clone() else { return Order::Ack(tag) };
            let reason = Some(reason.to_owned());
            let message = Message { dead_reason: reason, ..Message::new(message.payload.clone()) };
            Order::Bury(tag, Burial { broker: place.shared.clone(), queue, message: message.persistent() })
        });
    }

    fn order(&mut self, order: impl FnOnce(u64, &Place) -> Order) {
        if let Some(base) = self.base.take() {
            base.desk.order(order(self.tag, &base.place));
        }
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        self.order(|tag, _| Order::Retry(tag));
    }
}
