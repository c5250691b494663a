//! What every broker has to do: one function for each behaviour, run on each implementation.
//!
//! A behaviour takes a broker with nothing in it. [`broker_contract!`](crate::broker_contract) makes a
//! test of each, so that a failure says which behaviour it is.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it is a test, if one that other crates can run"
)]

pub mod consuming;
pub mod queues;
pub mod settling;
pub mod topics;
mod vhost;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::{Broker, Consumer, Delivery, Depth, Heard, Message, Queue, Subscription};

pub use vhost::Vhost;

/// A broker under test.
pub type Subject = Arc<dyn Broker>;

/// How long something may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing has to happen for.
const SILENCE: Duration = Duration::from_millis(50);

/// Makes a `#[tokio::test]` of every behaviour. The expression makes a broker, once for each, and what has to
/// live for as long as it does.
#[macro_export]
macro_rules! broker_contract {
    ($broker:expr) => {
        $crate::broker_contract! { $broker;
            consuming::a_message_arrives_as_it_was_sent
            consuming::messages_arrive_in_order
            consuming::a_waiting_consumer_is_woken
            consuming::consumers_share_a_queue
            consuming::concurrent_consumers_settle_each_message_once
            consuming::a_consumer_holds_no_more_than_its_prefetch
            consuming::a_consumer_without_room_leaves_messages_to_others
            consuming::a_wake_up_that_is_not_used_is_handed_on
            consuming::abandoned_waits_lose_nothing
            consuming::a_consumer_that_stops_leaves_nothing_in_doubt
            settling::an_acknowledged_message_is_gone
            settling::a_retried_message_comes_back_first
            settling::a_dropped_delivery_comes_back
            settling::a_dropped_consumer_gives_back_what_it_holds
            settling::a_delivery_outlives_its_consumer_without_effect
            settling::a_retried_message_wakes_another_consumer
            settling::a_dropped_consumer_wakes_the_others
            settling::a_dead_letter_tells_its_reason
            settling::a_dead_letter_without_a_queue_is_dropped
            queues::publishing_to_no_queue_is_refused
            queues::consuming_from_no_queue_is_refused
            queues::a_name_that_is_too_long_is_that_of_no_queue
            queues::a_queue_is_bounded_in_messages
            queues::a_queue_is_bounded_in_bytes
            queues::a_full_queue_takes_back_what_it_delivered
            queues::an_expired_message_is_not_delivered
            queues::a_message_that_never_expires_is_delivered
            queues::an_expired_message_frees_its_place
            queues::a_delayed_message_arrives_later
            queues::declaring_again_changes_nothing
            queues::deleting_ends_consumers
            queues::deleting_ends_a_consumer_without_room
            queues::deleting_what_is_not_there_is_no_error
            queues::a_queue_declared_again_after_deletion_is_empty
            queues::depth_counts_what_is_there
            queues::one_consumer_at_a_time_is_given_what_a_leader_holds
            topics::every_subscriber_hears
            topics::topics_are_apart
            topics::a_subscriber_hears_nothing_from_before
        }
    };
    ($broker:expr; $($about:ident::$behaviour:ident)*) => {
        $(
            #[tokio::test]
            async fn $behaviour() {
                let (broker, _kept) = $broker;
                $crate::broker::contract::$about::$behaviour(broker).await;
            }
        )*
    };
}

fn queue() -> Queue {
    let name = format!("contract.{}", Uuid::now_v7());
    Queue {
        dead_letter: None,
        name,
        len_max: 10_000,
        bytes_max: 1024 * 1024,
        private: false,
        single_active: false,
    }
}

fn message(text: impl Into<String>) -> Message {
    Message::new(Bytes::from(text.into()))
}

fn text(delivery: &Delivery) -> &str {
    std::str::from_utf8(&delivery.message.payload).unwrap()
}

/// Declares the queue and puts these messages into it.
async fn fill(broker: &Subject, queue: &Queue, texts: &[&str]) {
    broker.declare(queue).await.unwrap();
    for text in texts {
        broker.publish(&queue.name, message(*text)).await.unwrap();
    }
}

async fn next(consumer: &mut Consumer) -> Delivery {
    timeout(PATIENCE, consumer.next()).await.expect("a delivery in time").expect("a living queue")
}

async fn hear(subscription: &mut Subscription) -> Heard {
    timeout(PATIENCE, subscription.next()).await.expect("to hear in time").expect("a living broker")
}

async fn expect_end(consumer: &mut Consumer) {
    let end = timeout(PATIENCE, consumer.next()).await.expect("the end in time");
    assert!(end.is_none(), "the consumer goes on");
}

async fn expect_silence(consumer: &mut Consumer) {
    let delivery = timeout(SILENCE, consumer.next()).await.ok();
    assert!(delivery.is_none(), "unexpected: {:?}", delivery.flatten().map(|delivery| delivery.message));
}

/// Settling has no answer, so a broker elsewhere may take a moment to show it.
async fn expect_depth(broker: &Subject, queue: &Queue, ready: usize, unsettled: usize, consumers: usize) {
    let give_up_at = Instant::now() + PATIENCE;
    loop {
        let depth = broker.depth(&queue.name).await.unwrap();
        let expected =
            Depth { ready, unsettled: depth.unsettled.map(|_| unsettled), consumers, held_back: 0 };
        if depth == expected {
            return;
        }
        assert!(Instant::now() < give_up_at, "{depth:?} is not {expected:?}");
        sleep(Duration::from_millis(5)).await;
    }
}
