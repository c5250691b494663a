//! Messages that travel together, and consumers that share a channel.

use std::collections::HashMap;

use futures_util::future::join_all;

use super::{message, next, queue, text, unroutable};
use crate::broker::contract::Vhost;
use crate::broker::{Broker, Error, Queue};

/// Each publisher waits for its own message before it sends the next, as a connection with calls does.
#[tokio::test]
async fn concurrent_lines_arrive_as_few_messages_in_the_order_of_each_publisher() {
    const PUBLISHERS: usize = 64;
    const EACH: usize = 20;
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    broker.declare(&queue("q")).await.unwrap();
    join_all((0..PUBLISHERS).map(|publisher| {
        let broker = &broker;
        async move {
            for number in 0..EACH {
                let line = message(format!("{publisher} {number}\n")).joinable();
                broker.publish("q", line).await.unwrap();
            }
        }
    }))
    .await;
    let mut consumer = broker.consume("q", 1_000).await.unwrap();
    let (mut messages, mut heard) = (0, HashMap::<String, Vec<usize>>::new());
    while heard.values().map(Vec::len).sum::<usize>() < PUBLISHERS * EACH {
        let delivery = next(&mut consumer).await;
        messages += 1;
        for line in text(&delivery).lines() {
            let (publisher, number) = line.split_once(' ').unwrap();
            heard.entry(publisher.to_owned()).or_default().push(number.parse().unwrap());
        }
        delivery.ack();
    }
    assert!(heard.values().all(|numbers| numbers.iter().copied().eq(0..EACH)), "{heard:?}");
    assert!(messages < PUBLISHERS * EACH / 4, "{messages} messages for {} lines", PUBLISHERS * EACH);
}

#[tokio::test]
async fn everybody_whose_line_was_in_a_refused_message_is_told() {
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    broker.declare(&Queue { len_max: 1, ..queue("q") }).await.unwrap();
    broker.publish("q", message("first\n")).await.unwrap();
    let outcomes = join_all((0..50).map(|_| broker.publish("q", message("more\n").joinable()))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Err(Error::Full("q".into()))), "{outcomes:?}");
}

/// The client gives a returned message to whichever confirmation comes first: ours must not.
#[tokio::test]
async fn a_returned_message_is_never_taken_for_another() {
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    for number in 0..10 {
        broker.declare(&queue(&format!("there.{number}"))).await.unwrap();
    }
    let publishes = (0..500).map(|number| {
        let there = number % 3 != 0;
        let name = if there { format!("there.{}", number % 10) } else { format!("missing.{}", number % 7) };
        let broker = &broker;
        async move { (there, broker.publish(&name, message("a")).await, unroutable(&name)) }
    });
    for (there, outcome, missing) in join_all(publishes).await {
        assert_eq!(outcome, if there { Ok(()) } else { missing });
    }
}

/// Its deliveries stay unsettled in the middle of everybody else's.
#[tokio::test]
async fn a_slow_consumer_does_not_hold_up_others_on_its_channel() {
    const COUNT: usize = 40;
    let vhost = Vhost::make();
    let broker = vhost.broker().await;
    let mut consumers = Vec::new();
    for number in 0..COUNT {
        let name = format!("q.{number}");
        broker.declare(&queue(&name)).await.unwrap();
        consumers.push((name.clone(), broker.consume(&name, 2).await.unwrap()));
    }
    let mut slow = Vec::new();
    for (at, (name, consumer)) in consumers.iter_mut().enumerate() {
        for turn in 0..10 {
            broker.publish(name, message(turn.to_string())).await.unwrap();
            let delivery = next(consumer).await;
            assert_eq!((text(&delivery), delivery.redelivered), (&*turn.to_string(), false));
            if at % 5 == 0 && turn == 0 {
                slow.push(delivery);
            } else {
                delivery.ack();
            }
        }
    }
    // Only what the slow ones hold comes back.
    drop(consumers);
    let mut back = 0;
    for number in 0..COUNT {
        let mut consumer = broker.consume(&format!("q.{number}"), 10).await.unwrap();
        if number % 5 == 0 {
            let delivery = next(&mut consumer).await;
            assert_eq!((text(&delivery), delivery.redelivered), ("0", true));
            delivery.ack();
            back += 1;
        } else {
            assert!(consumer.try_next().is_none());
        }
    }
    assert_eq!(back, slow.len());
}
