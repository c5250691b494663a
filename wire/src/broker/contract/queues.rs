//! How queues come, go, and refuse.

use std::pin::pin;
use std::time::Duration;

use futures_util::poll;
use tokio::time::{Instant, timeout};

use super::{PATIENCE, Subject, expect_depth, expect_end, expect_silence, fill, message, next, queue, text};
use crate::Timestamp;
use crate::broker::{Error, Queue, requests_queue};

/// A publisher must know, or a message is lost in silence.
pub async fn publishing_to_no_queue_is_refused(broker: Subject) {
    let name = queue().name;
    assert_eq!(broker.publish(&name, message("a")).await, Err(Error::Unroutable(name)));
}

/// And so is asking for its depth.
pub async fn consuming_from_no_queue_is_refused(broker: Subject) {
    let name = queue().name;
    assert_eq!(broker.consume(&name, 1).await.err(), Some(Error::Unroutable(name.clone())));
    assert_eq!(broker.depth(&name).await, Err(Error::Unroutable(name)));
}

/// Whoever answers a call takes the name from its message, and others want to publish afterwards.
pub async fn a_name_that_is_too_long_is_that_of_no_queue(broker: Subject) {
    let name = "x".repeat(300);
    let unroutable = Error::Unroutable(name.clone());
    assert_eq!(broker.publish(&name, message("a")).await, Err(unroutable.clone()));
    assert_eq!(broker.depth(&name).await, Err(unroutable.clone()));
    assert_eq!(broker.consume(&name, 1).await.err(), Some(unroutable));
    assert_eq!(broker.delete(&name).await, Ok(()));
    let queue = queue();
    fill(&broker, &queue, &["b"]).await;
    assert_eq!(text(&next(&mut broker.consume(&queue.name, 1).await.unwrap()).await), "b");
}

/// What does not fit is refused; what is there stays.
pub async fn a_queue_is_bounded_in_messages(broker: Subject) {
    let queue = Queue { len_max: 2, ..queue() };
    fill(&broker, &queue, &["a", "b"]).await;
    assert_eq!(broker.publish(&queue.name, message("c")).await, Err(Error::Full(queue.name.clone())));
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    for expected in ["a", "b"] {
        let delivery = next(&mut consumer).await;
        assert_eq!(text(&delivery), expected);
        delivery.ack();
    }
    expect_depth(&broker, &queue, 0, 0, 1).await;
    broker.publish(&queue.name, message("c")).await.unwrap();
}

/// What does not fit is refused; what is there stays.
pub async fn a_queue_is_bounded_in_bytes(broker: Subject) {
    let queue = Queue { bytes_max: 10, ..queue() };
    fill(&broker, &queue, &["0123456789"]).await;
    assert_eq!(broker.publish(&queue.name, message("a")).await, Err(Error::Full(queue.name.clone())));
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    let _held = next(&mut consumer).await;
    broker.publish(&queue.name, message("a")).await.unwrap();
}

/// A message that was accepted is never lost to the bounds.
pub async fn a_full_queue_takes_back_what_it_delivered(broker: Subject) {
    let queue = Queue { len_max: 1, ..queue() };
    fill(&broker, &queue, &["a"]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    broker.publish(&queue.name, message("b")).await.unwrap();
    delivery.retry();
    for expected in ["a", "b"] {
        let delivery = next(&mut consumer).await;
        assert_eq!(text(&delivery), expected);
        delivery.ack();
    }
}

/// Not even ahead of one that is still of use.
pub async fn an_expired_message_is_not_delivered(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &[]).await;
    broker.publish(&queue.name, message("late").expires_at(Timestamp(1))).await.unwrap();
    broker.publish(&queue.name, message("a")).await.unwrap();
    let mut consumer = broker.consume(&queue.name, 2).await.unwrap();
    let delivery = next(&mut consumer).await;
    assert_eq!(text(&delivery), "a");
    expect_silence(&mut consumer).await;
}

/// However far off that is.
pub async fn a_message_that_never_expires_is_delivered(broker: Subject) {
    let queue = queue();
    broker.declare(&queue).await.unwrap();
    broker.publish(&queue.name, message("a").expires_at(Timestamp(u64::MAX))).await.unwrap();
    let delivery = next(&mut broker.consume(&queue.name, 1).await.unwrap()).await;
    assert_eq!(delivery.message.expires_at, Some(Timestamp(u64::MAX)));
}

/// In a queue that nobody consumes.
pub async fn an_expired_message_frees_its_place(broker: Subject) {
    let queue = Queue { len_max: 2, ..queue() };
    fill(&broker, &queue, &[]).await;
    for _ in 0..6 {
        broker.publish(&queue.name, message("late").expires_at(Timestamp(1))).await.unwrap();
        expect_depth(&broker, &queue, 0, 0, 0).await;
    }
}

/// Not before its delay is over, to a consumer that waits already; others overtake it.
pub async fn a_delayed_message_arrives_later(broker: Subject) {
    let queue = requests_queue();
    fill(&broker, &queue, &[]).await;
    let mut consumer = broker.consume(&queue.name, 2).await.unwrap();
    let (delay, published) = (Duration::from_secs(1), Instant::now());
    let later = message("later").persistent().delayed(delay);
    broker.publish(&queue.name, later).await.unwrap();
    broker.publish(&queue.name, message("now")).await.unwrap();
    let delivery = next(&mut consumer).await;
    assert_eq!(text(&delivery), "now");
    delivery.ack();
    assert_eq!(broker.depth(&queue.name).await.unwrap().held_back, 1);
    let delivery = next(&mut consumer).await;
    assert_eq!((text(&delivery), delivery.redelivered, delivery.message.persistent), ("later", false, true));
    assert!(published.elapsed() >= delay, "{:?}", published.elapsed());
}

/// Not its content, not its consumers.
pub async fn declaring_again_changes_nothing(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a"]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    broker.declare(&queue).await.unwrap();
    assert_eq!(text(&next(&mut consumer).await), "a");
}

/// One that waits and one that comes for more.
pub async fn deleting_ends_consumers(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &[]).await;
    let mut waiter = broker.consume(&queue.name, 1).await.unwrap();
    let mut later = broker.consume(&queue.name, 1).await.unwrap();
    let mut waiting = pin!(waiter.next());
    assert!(poll!(&mut waiting).is_pending());
    broker.delete(&queue.name).await.unwrap();
    assert!(timeout(PATIENCE, waiting).await.unwrap().is_none());
    expect_end(&mut later).await;
    assert_eq!(broker.publish(&queue.name, message("a")).await, Err(Error::Unroutable(queue.name.clone())));
}

/// It waits for room, which nobody will make.
pub async fn deleting_ends_a_consumer_without_room(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a"]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    let mut waiting = pin!(consumer.next());
    assert!(poll!(&mut waiting).is_pending());
    broker.delete(&queue.name).await.unwrap();
    assert!(timeout(PATIENCE, waiting).await.unwrap().is_none());
    delivery.ack();
}

/// Whoever deletes may do it twice.
pub async fn deleting_what_is_not_there_is_no_error(broker: Subject) {
    broker.delete(&queue().name).await.unwrap();
}

/// Whatever the old one's deliveries do.
pub async fn a_queue_declared_again_after_deletion_is_empty(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a", "b"]).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    broker.delete(&queue.name).await.unwrap();
    broker.declare(&queue).await.unwrap();
    delivery.retry();
    drop(consumer);
    expect_depth(&broker, &queue, 0, 0, 0).await;
}

/// Ready, unsettled and consumers. What a consumer with room gives back may be sent to it again at once, so
/// that is counted when it has left.
pub async fn depth_counts_what_is_there(broker: Subject) {
    let queue = queue();
    fill(&broker, &queue, &["a", "b", "c"]).await;
    expect_depth(&broker, &queue, 3, 0, 0).await;
    let mut consumer = broker.consume(&queue.name, 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    expect_depth(&broker, &queue, 2, 1, 1).await;
    delivery.retry();
    drop(consumer);
    expect_depth(&broker, &queue, 3, 0, 0).await;
}

/// Two who hold it would each believe to be the only one.
pub async fn one_consumer_at_a_time_is_given_what_a_leader_holds(broker: Subject) {
    let queue = Queue { len_max: 1, single_active: true, ..queue() };
    fill(&broker, &queue, &["a"]).await;
    let mut first = broker.consume(&queue.name, 1).await.unwrap();
    let held = next(&mut first).await;
    // While it is held, there is room for another.
    broker.publish(&queue.name, message("b")).await.unwrap();
    let mut second = broker.consume(&queue.name, 1).await.unwrap();
    expect_silence(&mut second).await;
    held.ack();
    let held = next(&mut first).await;
    assert_eq!(text(&held), "b");
    expect_silence(&mut second).await;
    let (handed_on, ()) = tokio::join!(next(&mut second), async { drop((held, first)) });
    assert_eq!((text(&handed_on), handed_on.redelivered), ("b", true));
}
