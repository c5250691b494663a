//! What the broker refuses, and that it harms nobody else.

use serde_json::json;

use super::{eventually, message, next, publish_eventually, queue, text, unroutable};
use crate::broker::contract::Vhost;
use crate::broker::{Broker, BrokerUrl, Error, Message, Queue, RabbitMq};

#[tokio::test]
async fn a_wrong_password_is_an_error_and_not_a_wait() {
    let vhost = Vhost::make();
    let (before, host) = vhost.address().split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (user, _) = before.rsplit_once(':').unwrap();
    let url = BrokerUrl::parse(&format!("{user}:wrong@{host}")).unwrap();
    assert_eq!(RabbitMq::connect(&url, "test").await.err(), Some(Error::Refused));
}

#[tokio::test]
async fn a_virtual_host_that_is_not_there_is_an_error_and_not_a_wait() {
    let vhost = Vhost::make();
    let url = BrokerUrl::parse(&format!("{}-missing", vhost.address())).unwrap();
    assert_eq!(RabbitMq::connect(&url, "test").await.err(), Some(Error::Refused));
}

/// The broker closes the channel over it (403).
#[tokio::test]
async fn a_publish_that_is_not_permitted_is_refused_and_others_go_on() {
    let vhost = Vhost::make();
    vhost.broker().await.declare(&queue("dead.a")).await.unwrap();
    let permissions = json!({"configure": ".*", "write": "^funcatron.calls$|^q$", "read": ".*"});
    let broker = RabbitMq::connect(&vhost.user(&permissions), "test").await.unwrap();
    broker.declare(&queue("q")).await.unwrap();
    assert_eq!(broker.publish("dead.a", message("a")).await, Err(Error::Unavailable));
    publish_eventually(&broker, "q", "a").await;
}

/// The broker closes the channel over that as well (404).
#[tokio::test]
async fn exchanges_that_were_deleted_are_declared_again() {
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    broker.declare(&queue("q")).await.unwrap();
    vhost.delete(&format!("exchanges/{}/funcatron.calls", vhost.name()));
    assert_eq!(broker.publish("q", message("a")).await, unroutable("q"));
    // Its binding went with the exchange.
    eventually("publish again", || async {
        broker.declare(&queue("q")).await.ok()?;
        broker.publish("q", message("a")).await.ok()
    })
    .await;
}

/// A queue of an older version is used as it is (406): its messages are worth more than its bounds.
#[tokio::test]
async fn a_queue_that_looks_different_is_left_as_it_is() {
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    broker.declare(&Queue { len_max: 1, ..queue("q") }).await.unwrap();
    broker.publish("q", message("a")).await.unwrap();
    broker.declare(&Queue { len_max: 2, ..queue("q") }).await.unwrap();
    assert_eq!(broker.publish("q", message("b")).await, Err(Error::Full("q".into())));
    assert_eq!(text(&next(&mut broker.consume("q", 1).await.unwrap()).await), "a");
}

/// While the broker's own consumers go on.
#[tokio::test]
async fn asking_for_what_is_missing_closes_no_channel_of_others() {
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    broker.declare(&queue("q")).await.unwrap();
    let mut consumer = broker.consume("q", 1).await.unwrap();
    assert!(broker.depth("missing").await.is_err());
    assert!(broker.consume("missing", 1).await.is_err());
    broker.delete("missing").await.unwrap();
    broker.publish("q", message("a")).await.unwrap();
    next(&mut consumer).await.ack();
}

/// RabbitMQ gives a consumer with a dead-letter queue that is full the delivery back after a pause.
#[tokio::test]
async fn a_dead_letter_that_nobody_takes_is_not_lost() {
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    broker.declare(&Queue { len_max: 1, ..queue("dead.a") }).await.unwrap();
    broker.publish("dead.a", message("first")).await.unwrap();
    broker.declare(&Queue { dead_letter: Some("dead.a".into()), ..queue("q") }).await.unwrap();
    broker.publish("q", message("a")).await.unwrap();
    let mut consumer = broker.consume("q", 1).await.unwrap();
    next(&mut consumer).await.dead_letter("no room");
    let delivery = next(&mut consumer).await;
    assert_eq!((text(&delivery), delivery.redelivered), ("a", true));
    next(&mut broker.consume("dead.a", 1).await.unwrap()).await.ack();
    delivery.dead_letter("room again");
    let mut dead = broker.consume("dead.a", 1).await.unwrap();
    let Message { dead_reason, persistent, .. } = next(&mut dead).await.message.clone();
    assert_eq!((dead_reason.as_deref(), persistent), (Some("room again"), true));
}
