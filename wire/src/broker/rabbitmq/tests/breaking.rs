//! Connections that break, brokers that die, and what heals afterwards.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::node::Node;
use super::{PATIENCE, consume_eventually, eventually, message, next, publish_eventually, queue, text};
use crate::broker::contract::Vhost;
use crate::broker::{Broker, Error, Heard, Queue, RabbitMq, Subscription, Topic};

/// After this, a message is on its way for certain; long before the client gives up on a silent broker.
const UNDER_WAY: Duration = Duration::from_millis(500);

#[tokio::test]
async fn everything_heals_after_all_connections_were_closed() {
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    let private = Queue { private: true, ..queue("reply.a") };
    let mut lasting = consume_eventually(&broker, &queue("q")).await;
    let mut replies = consume_eventually(&broker, &private).await;
    let mut heard = broker.subscribe(Topic::Control).await.unwrap();
    close_connections(&vhost).await;
    assert!(timeout(PATIENCE, lasting.next()).await.unwrap().is_none());
    assert!(timeout(PATIENCE, replies.next()).await.unwrap().is_none());
    let mut lasting = consume_eventually(&broker, &queue("q")).await;
    let mut replies = consume_eventually(&broker, &private).await;
    publish_eventually(&broker, "q", "a").await;
    publish_eventually(&broker, "reply.a", "b").await;
    assert_eq!(text(&next(&mut lasting).await), "a");
    assert_eq!(text(&next(&mut replies).await), "b");
    expect_resumption(&broker, &mut heard).await;
}

/// Publishing goes on over it all: each message is accepted, refused or unknown, and what was accepted is there.
#[tokio::test]
async fn nothing_accepted_is_lost_when_connections_are_closed_under_load() {
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    broker.declare(&queue("q")).await.unwrap();
    let publishers = join_all((0..32).map(|publisher| {
        let broker = &broker;
        async move {
            let mut accepted = Vec::new();
            for number in 0..200 {
                let line = format!("{publisher}.{number}\n");
                match broker.publish("q", message(line.clone()).joinable()).await {
                    Ok(()) => accepted.push(line),
                    Err(Error::Unknown(_) | Error::Unavailable) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
            accepted
        }
    }));
    let (accepted, ()) = tokio::join!(publishers, close_connections(&vhost));
    let mut consumer = consume_eventually(&broker, &queue("q")).await;
    let mut missing: HashSet<String> = accepted.into_iter().flatten().collect();
    while !missing.is_empty() {
        let delivery = next(&mut consumer).await;
        text(&delivery).split_inclusive('\n').for_each(|line| _ = missing.remove(line));
        delivery.ack();
    }
}

#[tokio::test]
async fn a_consumer_ends_when_somebody_else_deletes_its_queue() {
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    let mut consumer = consume_eventually(&broker, &queue("q")).await;
    vhost.delete(&format!("queues/{}/q", vhost.name()));
    assert!(timeout(PATIENCE, consumer.next()).await.unwrap().is_none());
    let mut consumer = consume_eventually(&broker, &queue("q")).await;
    broker.publish("q", message("a")).await.unwrap();
    assert_eq!(text(&next(&mut consumer).await), "a");
}

/// It does so (406) when a delivery is left unsettled for too long.
#[tokio::test]
async fn a_channel_that_the_broker_closes_ends_its_consumers_and_harms_nobody_else() {
    let node = Node::start();
    node.ctl(&["eval", "application:set_env(rabbit, consumer_timeout, 2000)."]);
    node.ctl(&["eval", "application:set_env(rabbit, channel_tick_interval, 100)."]);
    let broker = RabbitMq::connect(&node.url(), "test").await.unwrap();
    let private = Queue { private: true, ..queue("reply.a") };
    let mut replies = consume_eventually(&broker, &private).await;
    let mut consumer = consume_eventually(&broker, &queue("q")).await;
    broker.publish("q", message("a")).await.unwrap();
    let held = next(&mut consumer).await;
    assert!(timeout(PATIENCE, consumer.next()).await.unwrap().is_none());
    // What it held is somebody else's by now.
    held.ack();
    let mut consumer = consume_eventually(&broker, &queue("q")).await;
    let again = next(&mut consumer).await;
    assert_eq!((text(&again), again.redelivered), ("a", true));
    again.ack();
    broker.publish("reply.a", message("b")).await.unwrap();
    assert_eq!(text(&next(&mut replies).await), "b");
}

/// What is settled is with the broker before the connection ends.
#[tokio::test]
async fn closing_loses_no_acknowledgement() {
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    let mut consumer = consume_eventually(&broker, &queue("q")).await;
    for _ in 0..100 {
        broker.publish("q", message("a")).await.unwrap();
    }
    for _ in 0..99 {
        next(&mut consumer).await.ack();
    }
    broker.close().await;
    assert_eq!(broker.publish("q", message("a")).await, Err(Error::Unavailable));
    let broker = vhost.broker().await;
    let left = || async { (broker.depth("q").await.unwrap().ready == 1).then_some(()) };
    eventually("one message is left", left).await;
}

/// A publish that the broker has and does not confirm, since it is frozen, and then dies.
#[tokio::test]
async fn a_broker_that_is_killed_loses_nothing_that_persists() {
    let node = Node::start();
    let broker = RabbitMq::connect(&node.url(), "test").await.unwrap();
    let private = Queue { private: true, ..queue("reply.a") };
    let mut replies = consume_eventually(&broker, &private).await;
    let mut heard = broker.subscribe(Topic::Control).await.unwrap();
    broker.declare(&queue("q")).await.unwrap();
    join_all((0..200).map(|number| broker.publish("q", message(number.to_string()).persistent())))
        .await
        .into_iter()
        .for_each(|outcome| outcome.unwrap());
    node.signal("-STOP");
    {
        let mut publish = pin!(broker.publish("q", message("in flight")));
        assert!(timeout(UNDER_WAY, &mut publish).await.is_err(), "confirmed by a frozen broker");
        node.signal("-KILL");
        assert_eq!(publish.await, Err(Error::Unknown("q".into())));
    }
    assert!(timeout(PATIENCE, replies.next()).await.unwrap().is_none());
    assert_eq!(broker.publish("q", message("down")).await, Err(Error::Unavailable));
    // Meanwhile, somebody starts who has never seen the broker.
    let url = node.url();
    let late = tokio::spawn(async move { RabbitMq::connect(&url, "late").await.map(drop) });
    let start_again = tokio::task::spawn_blocking(move || {
        node.start_again();
        node
    });
    let _node = start_again.await.unwrap();
    let mut replies = consume_eventually(&broker, &private).await;
    publish_eventually(&broker, "reply.a", "b").await;
    assert_eq!(text(&next(&mut replies).await), "b");
    let mut consumer = consume_eventually(&broker, &queue("q")).await;
    // What RabbitMQ reads back from its disk is complete; its order is another matter.
    let mut left: HashSet<String> = (0..200).map(|number| number.to_string()).collect();
    while !left.is_empty() {
        let delivery = next(&mut consumer).await;
        left.remove(text(&delivery));
        delivery.ack();
    }
    expect_resumption(&broker, &mut heard).await;
    assert_eq!(late.await.unwrap(), Ok(()));
}

/// RabbitMQ tells a connection only when it has published something.
#[tokio::test]
async fn a_memory_alarm_refuses_publishers_at_once_and_stops_no_consumer() {
    let node = Node::start();
    let broker = RabbitMq::connect(&node.url(), "test").await.unwrap();
    let mut consumer = consume_eventually(&broker, &queue("q")).await;
    for _ in 0..3 {
        broker.publish("q", message("before")).await.unwrap();
    }
    node.ctl(&["set_vm_memory_high_watermark", "0.000001"]);
    eventually("be refused", || async {
        let before = Instant::now();
        let outcome = timeout(PATIENCE, broker.publish("q", message("during"))).await.unwrap();
        (outcome == Err(Error::Unavailable)).then(|| assert!(before.elapsed() < Duration::from_secs(1)))
    })
    .await;
    for _ in 0..3 {
        next(&mut consumer).await.ack();
    }
    node.ctl(&["set_vm_memory_high_watermark", "0.8"]);
    publish_eventually(&broker, "q", "after").await;
    while text(&next(&mut consumer).await) != "after" {}
}

/// The management API knows of a connection a moment after it is made.
async fn close_connections(vhost: &Vhost) {
    let names = eventually("see both connections", || async {
        let connections = vhost.get("vhosts", "/connections");
        let names: Vec<String> = connections
            .as_array()
            .unwrap()
            .iter()
            .map(|connection| connection["name"].as_str().unwrap().to_owned())
            .collect();
        (names.len() == 2).then_some(names)
    })
    .await;
    for name in names {
        vhost.delete(&format!("connections/{}", name.replace(' ', "%20").replace('>', "%3E")));
    }
}

/// A subscriber is told that it missed something, and hears again.
async fn expect_resumption(broker: &RabbitMq, heard: &mut Subscription) {
    assert!(matches!(timeout(PATIENCE, heard.next()).await.unwrap(), Some(Heard::Missed(_))));
    broker.broadcast(Topic::Control, Bytes::from("c")).await.unwrap();
    assert_eq!(timeout(PATIENCE, heard.next()).await.unwrap(), Some(Heard::Payload(Bytes::from("c"))));
}
