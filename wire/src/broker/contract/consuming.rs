//! How messages reach consumers.

use std::collections::BTreeSet;
use std::pin::pin;

use futures_util::future::join_all;
use futures_util::poll;
use tokio::time::{Instant, timeout};

use super::{PATIENCE, Subject, expect_depth, fill, message, next, queue, text};
use crate::Timestamp;
use crate::broker::{Consumer, Delivery};

/// Payload, expiry and the mark of a first delivery.
pub async fn a_message_arrives_as_it_was_sent(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &[]).await;
    let sent = message("{\"v\":1}\n").expires_at(Timestamp::now().after(PATIENCE));
    broker.publish(&queue.name, sent.clone()).await.unwrap();
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    assert_eq!(delivery.message, sent);
    assert!(!delivery.redelivered);
}

/// First in, first out.
pub async fn messages_arrive_in_order(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a", "b", "c"]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    for expected in ["a", "b", "c"] {
        let delivery = next(&mut consumer).await;
        assert_eq!(text(&delivery), expected);
        delivery.ack();
    }
}

/// One that came before the message.
pub async fn a_waiting_consumer_is_woken(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &[]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    assert!(consumer.try_next().is_none());
    let mut waiting = pin!(consumer.next());
    assert!(poll!(&mut waiting).is_pending());
    broker.publish(&queue.name, message("a")).await.unwrap();
    assert_eq!(text(&timeout(PATIENCE, waiting).await.unwrap().unwrap()), "a");
}

/// Each message goes to one of them.
pub async fn consumers_share_a_queue(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a", "b"]).await;
    let mut one = broker.consume(&queue.name, 1).await.unwrap();
    let mut two = broker.consume(&queue.name, 1).await.unwrap();
    let (first, second) = (next(&mut one).await, next(&mut two).await);
    assert_eq!(BTreeSet::from([text(&first), text(&second)]), BTreeSet::from(["a", "b"]));
}

/// Four publish, four consume, and every fifth message is tried twice.
pub async fn concurrent_consumers_settle_each_message_once(broker: Subject) {
    const EACH: usize = 250;
    let queue = queue();
    fill(&broker, &queue, &[]).await;
    let publishers = (0..4).map(|publisher| {
        let (broker, name) = (broker.clone(), queue.name.clone());
        tokio::spawn(async move {
            for number in publisher * EACH..(publisher + 1) * EACH {
                broker.publish(&name, message(number.to_string())).await.unwrap();
            }
        })
    });
    let consumers = join_all((0..4).map(|_| broker.consume(&queue.name, 3))).await;
    let consumers = consumers.into_iter().map(|consumer| {
        let (broker, name) = (broker.clone(), queue.name.clone());
        tokio::spawn(async move { settle_until_deleted(consumer.unwrap(), &broker, &name).await })
    });
    let (publishers, consumers): (Vec<_>, Vec<_>) = (publishers.collect(), consumers.collect());
    join_all(publishers).await.into_iter().for_each(Result::unwrap);
    expect_depth(&broker, &queue, 0, 0, 4).await;
    broker.delete(&queue.name).await.unwrap();
    let mut settled: Vec<usize> = Vec::new();
    for consumer in consumers {
        settled.extend(consumer.await.unwrap());
    }
    settled.sort_unstable();
    assert_eq!(settled, (0..4 * EACH).collect::<Vec<_>>());
}

async fn settle_until_deleted(mut consumer: Consumer, broker: &Subject, queue: &str) -> Vec<usize> {
    let mut settled = Vec::new();
    while let Some(delivery) = consumer.next().await {
        let number: usize = text(&delivery).parse().unwrap();
        if number.is_multiple_of(5) && !delivery.redelivered {
            delivery.retry();
        } else {
            settled.push(number);
            // Something to wait for while it is unsettled, so that consumers take turns.
            let _depth = broker.depth(queue).await;
            tokio::task::yield_now().await;
            delivery.ack();
        }
    }
    settled
}

/// And goes on as soon as it settles one.
pub async fn a_consumer_holds_no_more_than_its_prefetch(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a", "b", "c"]).await;
    let mut consumer = broker.consume(&queue.name, 2).await.unwrap();
    let (one, _two) = (next(&mut consumer).await, next(&mut consumer).await);
    assert!(consumer.try_next().is_none());
    let mut waiting = pin!(consumer.next());
    assert!(poll!(&mut waiting).is_pending());
    one.ack();
    assert_eq!(text(&timeout(PATIENCE, waiting).await.unwrap().unwrap()), "c");
}

/// It waits as well, and must not be told in another's place.
pub async fn a_consumer_without_room_leaves_messages_to_others(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a"]).await;
    let mut busy = broker.consume(&queue.name, 1).await.unwrap();
    let _held = next(&mut busy).await;
    let mut busy_waiting = pin!(busy.next());
    assert!(poll!(&mut busy_waiting).is_pending());
    let mut free = broker.consume(&queue.name, 1).await.unwrap();
    let mut free_waiting = pin!(free.next());
    assert!(poll!(&mut free_waiting).is_pending());
    broker.publish(&queue.name, message("b")).await.unwrap();
    assert_eq!(text(&timeout(PATIENCE, free_waiting).await.unwrap().unwrap()), "b");
}

/// A consumer that is told and gives up waiting leaves the message to the next.
pub async fn a_wake_up_that_is_not_used_is_handed_on(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &[]).await;
    let mut quitter = broker.consume(&queue.name, 1).await.unwrap();
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    let mut waiting = Box::pin(quitter.next());
    assert!(poll!(&mut waiting).is_pending());
    let other = tokio::spawn(async move { text(&next(&mut consumer).await).to_owned() });
    tokio::task::yield_now().await;
    broker.publish(&queue.name, message("a")).await.unwrap();
    drop(waiting);
    drop(quitter);
    assert_eq!(other.await.unwrap(), "a");
}

/// A wait that loses a race, again and again, takes nothing with it.
pub async fn abandoned_waits_lose_nothing(broker: Subject) {
    const COUNT: usize = 200;
    let queue = queue();
    fill(&broker, &queue, &[]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    let (publisher, name) = (broker.clone(), queue.name.clone());
    let published = tokio::spawn(async move {
        for number in 0..COUNT {
            publisher.publish(&name, message(number.to_string())).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    let mut received = 0;
    let give_up_at = Instant::now() + PATIENCE;
    while received < COUNT {
        assert!(Instant::now() < give_up_at, "{received} of {COUNT}");
        tokio::select! {
            biased;
            () = tokio::task::yield_now() => {}
            delivery = consumer.next() => {
                let delivery = delivery.unwrap();
                assert_eq!(text(&delivery), received.to_string());
                delivery.ack();
                received += 1;
            }
        }
    }
    published.await.unwrap();
}

/// What it was given is its own to the end, and what it was not given nobody had before.
pub async fn a_consumer_that_stops_leaves_nothing_in_doubt(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a", "b", "c", "d", "e"]).await;
    let mut stopping = broker.consume(&queue.name, 3).await.unwrap();
    let mut given = vec![next(&mut stopping).await];
    given.extend(stopping.stop().await);
    broker.publish(&queue.name, message("f")).await.unwrap();
    let mut other = broker.consume(&queue.name, 10).await.unwrap();
    while given.len() < 6 {
        given.push(next(&mut other).await);
    }
    assert_eq!(given.iter().map(text).collect::<Vec<_>>(), ["a", "b", "c", "d", "e", "f"]);
    assert!(given.iter().all(|delivery| !delivery.redelivered));
    given.into_iter().for_each(Delivery::ack);
    drop((stopping, other));
    expect_depth(&broker, &queue, 0, 0, 0).await;
}
