//! How deliveries end.

use std::pin::pin;

use futures_util::poll;
use tokio::time::timeout;

use super::{PATIENCE, Subject, expect_depth, fill, next, queue, text};
use crate::broker::Queue;

/// It does not come back, whoever goes.
pub async fn an_acknowledged_message_is_gone(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a"]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    next(&mut consumer).await.ack();
    expect_depth(&broker, &queue, 0, 0, 1).await;
    drop(consumer);
    expect_depth(&broker, &queue, 0, 0, 0).await;
}

/// At the head of the queue, marked as redelivered.
pub async fn a_retried_message_comes_back_first(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a", "b"]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    next(&mut consumer).await.retry();
    let delivery = next(&mut consumer).await;
    assert_eq!((text(&delivery), delivery.redelivered), ("a", true));
    delivery.ack();
    let delivery = next(&mut consumer).await;
    assert_eq!((text(&delivery), delivery.redelivered), ("b", false));
}

/// As when whoever handles it panics.
pub async fn a_dropped_delivery_comes_back(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a"]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    drop(next(&mut consumer).await);
    let delivery = next(&mut consumer).await;
    assert_eq!((text(&delivery), delivery.redelivered), ("a", true));
}

/// In the order in which it came, to a consumer that waits already.
pub async fn a_dropped_consumer_gives_back_what_it_holds(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a", "b", "c"]).await;
    let mut leaver = broker.consume(&queue.name, 3).await.unwrap();
    let _held = [next(&mut leaver).await, next(&mut leaver).await];
    drop(leaver);
    let mut consumer = broker.consume(&queue.name, 3).await.unwrap();
    for expected in [("a", true), ("b", true)] {
        let delivery = next(&mut consumer).await;
        assert_eq!((text(&delivery), delivery.redelivered), expected);
        delivery.ack();
    }
    assert_eq!(text(&next(&mut consumer).await), "c");
}

/// The message is another consumer's by then.
pub async fn a_delivery_outlives_its_consumer_without_effect(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a", "b"]).await;
    let mut leaver = broker.consume(&queue.name, 2).await.unwrap();
    let (one, two) = (next(&mut leaver).await, next(&mut leaver).await);
    drop(leaver);
    one.ack();
    drop(two);
    expect_depth(&broker, &queue, 2, 0, 0).await;
}

/// In a queue that was declared with the one that gave it up.
pub async fn a_dead_letter_tells_its_reason(broker: Subject) {
    let dead = queue();
    let queue = Queue { dead_letter: Some(dead.name.clone()), ..queue() };
    fill(&broker, &queue, &["a"]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    next(&mut consumer).await.dead_letter("it crashed three runners");
    expect_depth(&broker, &queue, 0, 0, 1).await;
    let mut consumer = broker.consume(&dead.name, 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    assert_eq!(text(&delivery), "a");
    assert_eq!(delivery.message.dead_reason.as_deref(), Some("it crashed three runners"));
}

/// As the queue was declared.
pub async fn a_dead_letter_without_a_queue_is_dropped(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a"]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    next(&mut consumer).await.dead_letter("nobody wants it");
    expect_depth(&broker, &queue, 0, 0, 1).await;
}

/// The one that gave it back never comes for it. It has room and waits nowhere, so a broker elsewhere may
/// well have sent it there again: it is free for others for certain once that one leaves.
pub async fn a_retried_message_wakes_another_consumer(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a"]).await;
    let mut one = broker.consume(&queue.name, 1).await.unwrap();
    let mut other = broker.consume(&queue.name, 1).await.unwrap();
    let delivery = next(&mut one).await;
    let mut waiting = pin!(other.next());
    assert!(poll!(&mut waiting).is_pending());
    delivery.retry();
    drop(one);
    assert_eq!(text(&timeout(PATIENCE, waiting).await.unwrap().unwrap()), "a");
}

/// One for each message that it held.
pub async fn a_dropped_consumer_wakes_the_others(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a", "b"]).await;
    let mut leaver = broker.consume(&queue.name, 2).await.unwrap();
    let _held = [next(&mut leaver).await, next(&mut leaver).await];
    let mut one = broker.consume(&queue.name, 1).await.unwrap();
    let mut two = broker.consume(&queue.name, 1).await.unwrap();
    let (mut one_waiting, mut two_waiting) = (pin!(one.next()), pin!(two.next()));
    assert!(poll!(&mut one_waiting).is_pending() && poll!(&mut two_waiting).is_pending());
    drop(leaver);
    let _one = timeout(PATIENCE, one_waiting).await.unwrap().unwrap();
    let _two = timeout(PATIENCE, two_waiting).await.unwrap().unwrap();
}
