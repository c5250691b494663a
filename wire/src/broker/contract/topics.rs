//! How broadcasts reach subscribers.

use bytes::Bytes;

use super::{Subject, hear};
use crate::broker::{Heard, Topic};

/// Each of them, each payload, in order.
pub async fn every_subscriber_hears(broker: Subject) {
    let mut subscriptions =
        [broker.subscribe(Topic::Control).await.unwrap(), broker.subscribe(Topic::Control).await.unwrap()];
    for payload in ["a", "b"] {
        broker.broadcast(Topic::Control, Bytes::from(payload)).await.unwrap();
    }
    for subscription in &mut subscriptions {
        for payload in ["a", "b"] {
            assert_eq!(hear(subscription).await, Heard::Payload(Bytes::from(payload)));
        }
    }
}

/// What is said on one is not heard on another.
pub async fn topics_are_apart(broker: Subject) {
    let mut control = broker.subscribe(Topic::Control).await.unwrap();
    let mut heartbeats = broker.subscribe(Topic::Heartbeats).await.unwrap();
    broker.broadcast(Topic::Activations, Bytes::from("activation")).await.unwrap();
    broker.broadcast(Topic::Heartbeats, Bytes::from("heartbeat")).await.unwrap();
    broker.broadcast(Topic::Control, Bytes::from("control")).await.unwrap();
    assert_eq!(hear(&mut control).await, Heard::Payload(Bytes::from("control")));
    assert_eq!(hear(&mut heartbeats).await, Heard::Payload(Bytes::from("heartbeat")));
}

/// A topic keeps nothing, and saying something to nobody is no error.
pub async fn a_subscriber_hears_nothing_from_before(broker: Subject) {
    broker.broadcast(Topic::Control, Bytes::from("before")).await.unwrap();
    let mut subscription = broker.subscribe(Topic::Control).await.unwrap();
    broker.broadcast(Topic::Control, Bytes::from("after")).await.unwrap();
    assert_eq!(hear(&mut subscription).await, Heard::Payload(Bytes::from("after")));
}
