//! The contract, and what holds for the embedded broker alone.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{FutureExt, poll};
use tokio::time::timeout;

use super::{Embedded, TOPIC_LEN_MAX};
use crate::broker::{Broker, Error, Heard, Message, Queue, Topic};
use crate::broker_contract;

broker_contract!((Arc::new(Embedded::new()), ()));

fn queue(name: &str) -> Queue {
    Queue {
        name: name.to_owned(),
        len_max: 100_000,
        bytes_max: 1 << 20,
        dead_letter: None,
        private: false,
        single_active: false,
    }
}

fn on_a_thread_of_its_own<F: Future<Output = ()>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> thread::JoinHandle<()> {
    thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work());
    })
}

#[tokio::test]
async fn a_payload_is_passed_on_without_a_copy() {
    let broker = Embedded::new();
    broker.declare(&queue("q")).await.unwrap();
    let payload = Bytes::from(vec![b'a'; 4096]);
    broker.publish("q", Message::new(payload.clone())).await.unwrap();
    let delivery = broker.consume("q", 1).await.unwrap().next().await.unwrap();
    assert_eq!(delivery.message.payload.as_ptr(), payload.as_ptr());
}

#[tokio::test]
async fn a_consumer_that_gave_a_message_back_does_not_keep_it_from_another() {
    let broker = Embedded::new();
    broker.declare(&queue("q")).await.unwrap();
    broker.publish("q", Message::new(Bytes::from("a"))).await.unwrap();
    let mut one = broker.consume("q", 1).await.unwrap();
    let mut other = broker.consume("q", 1).await.unwrap();
    one.next().await.unwrap().retry();
    assert_eq!(broker.depth("q").await.unwrap().ready, 1);
    assert!(other.try_next().is_some());
}

#[tokio::test]
async fn consumers_and_subscribers_end_with_the_last_handle() {
    let broker = Embedded::new();
    broker.declare(&queue("q")).await.unwrap();
    let mut consumer = broker.consume("q", 1).await.unwrap();
    let mut subscription = broker.subscribe(Topic::Control).await.unwrap();
    let other_handle = broker.clone();
    drop(broker);
    assert!(poll!(std::pin::pin!(consumer.next())).is_pending());
    drop(other_handle);
    assert!(consumer.next().await.is_none());
    assert!(subscription.next().await.is_none());
}

#[tokio::test]
async fn a_subscriber_that_falls_behind_is_told_how_much_it_missed() {
    let broker = Embedded::new();
    let mut subscription = broker.subscribe(Topic::Activations).await.unwrap();
    for number in 0..TOPIC_LEN_MAX + 3 {
        broker.broadcast(Topic::Activations, Bytes::from(number.to_string())).await.unwrap();
    }
    assert_eq!(subscription.next().await, Some(Heard::Missed(3)));
    assert_eq!(subscription.next().await, Some(Heard::Payload(Bytes::from("3"))));
}

#[tokio::test]
async fn a_full_dead_letter_queue_holds_up_nobody() {
    let broker = Embedded::new();
    let dead = Queue { len_max: 0, ..queue("dead") };
    broker.declare(&dead).await.unwrap();
    broker.declare(&Queue { dead_letter: Some("dead".into()), ..queue("q") }).await.unwrap();
    broker.publish("q", Message::new(Bytes::from("a"))).await.unwrap();
    let mut consumer = broker.consume("q", 1).await.unwrap();
    consumer.next().await.unwrap().dead_letter("bad");
    let depth = broker.depth("q").await.unwrap();
    assert_eq!((depth.ready, depth.unsettled), (0, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_back_counts_and_wakes_whoever_waits_when_it_is_due() {
    let broker = Embedded::new();
    broker.declare(&Queue { len_max: 2, ..queue("q") }).await.unwrap();
    let mut consumers = [broker.consume("q", 1).await.unwrap(), broker.consume("q", 1).await.unwrap()];
    let [first, second] = &mut consumers;
    let (mut one, mut other) = (Box::pin(first.next()), Box::pin(second.next()));
    assert!(poll!(&mut one).is_pending() && poll!(&mut other).is_pending());
    let delayed = |seconds| Message::new(Bytes::from("a")).delayed(Duration::from_secs(seconds));
    for seconds in [20, 10] {
        broker.publish("q", delayed(seconds)).await.unwrap();
    }
    assert_eq!(broker.publish("q", delayed(1)).await, Err(Error::Full("q".into())));
    assert_eq!(broker.depth("q").await.unwrap().ready, 0);
    let started = tokio::time::Instant::now();
    // Whichever of them was told first: the other one takes it.
    drop(one);
    let delivery = other.await.unwrap();
    assert_eq!((started.elapsed().as_secs(), delivery.message.delay), (10, None));
    assert!(second.next().now_or_never().is_none(), "it has no room");
    assert_eq!(first.next().await.unwrap().message.payload, "a");
    assert_eq!(started.elapsed().as_secs(), 20);
}

/// Consumers on several threads wait, abandon waits, drop deliveries and leave; a lost wake-up would
/// leave messages behind with everybody asleep.
#[test]
fn no_wake_up_is_lost_between_threads() {
    const THREADS: u64 = 4;
    const MESSAGES: u64 = 20_000;
    let broker = Embedded::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(broker.declare(&queue("q"))).unwrap();
    let (sum, count) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));

    let consumers: Vec<_> = (0..THREADS)
        .map(|seed| {
            let (broker, sum, count) = (broker.clone(), sum.clone(), count.clone());
            on_a_thread_of_its_own(
                move || async move { consume_restlessly(&broker, seed, &sum, &count).await },
            )
        })
        .collect();
    let publishers: Vec<_> = (0..2)
        .map(|first| {
            let broker = broker.clone();
            on_a_thread_of_its_own(move || async move {
                for number in (first..MESSAGES).step_by(2) {
                    broker.publish("q", Message::new(Bytes::from(number.to_string()))).await.unwrap();
                    if number % 64 < 2 {
                        // Lets the consumers empty the queue and fall asleep.
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();
    publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
    spin_until(|| count.load(Ordering::SeqCst) == MESSAGES as usize);
    runtime.block_on(broker.delete("q")).unwrap();
    consumers.into_iter().for_each(|consumer| consumer.join().unwrap());
    assert_eq!(count.load(Ordering::SeqCst), MESSAGES as usize);
    assert_eq!(sum.load(Ordering::SeqCst), (0..MESSAGES).sum::<u64>());
}

async fn consume_restlessly(broker: &Embedded, seed: u64, sum: &AtomicU64, count: &AtomicUsize) {
    let mut turn = seed;
    while let Ok(mut consumer) = broker.consume("q", 2).await {
        for _ in 0..50 {
            turn += 1;
            if turn.is_multiple_of(3) {
                let abandoned = poll!(std::pin::pin!(consumer.next()));
                drop(abandoned);
            }
            let Some(delivery) = consumer.next().await else { return };
            if turn.is_multiple_of(7) {
                continue;
            }
            let number: u64 = std::str::from_utf8(&delivery.message.payload).unwrap().parse().unwrap();
            sum.fetch_add(number, Ordering::SeqCst);
            count.fetch_add(1, Ordering::SeqCst);
            delivery.ack();
        }
    }
}

/// Two messages at once for two idle consumers, each of which keeps its own until the other has one:
/// two wake-ups that merge into one leave a consumer asleep beside a message.
#[test]
fn each_of_two_threads_gets_one_of_two_messages() {
    const ROUNDS: usize = 10_000;
    let broker = Embedded::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(broker.declare(&queue("q"))).unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let consumers = [(); 2].map(|()| {
        let (broker, taken) = (broker.clone(), taken.clone());
        on_a_thread_of_its_own(move || async move {
            let mut consumer = broker.consume("q", 1).await.unwrap();
            while let Some(delivery) = consumer.next().await {
                let round = taken.fetch_add(1, Ordering::SeqCst) / 2;
                spin_until(|| taken.load(Ordering::SeqCst) >= (round + 1) * 2);
                delivery.ack();
            }
        })
    });
    let stuck_at = (1..=ROUNDS).find(|round| {
        for _ in 0..2 {
            runtime.block_on(broker.publish("q", Message::new(Bytes::from("a")))).unwrap();
        }
        !spin_until(|| taken.load(Ordering::SeqCst) == round * 2)
    });
    runtime.block_on(broker.delete("q")).unwrap();
    consumers.into_iter().for_each(|consumer| consumer.join().unwrap());
    assert_eq!(stuck_at, None);
}

fn spin_until(condition: impl Fn() -> bool) -> bool {
    let give_up_at = Instant::now() + Duration::from_secs(5);
    while !condition() && Instant::now() < give_up_at {
        thread::yield_now();
    }
    condition()
}

/// One ball between two threads: every single wake-up counts, for there is never a second message.
#[test]
fn two_threads_can_play_ping_pong() {
    let broker = Embedded::new();
    let players = ["ping", "pong"].map(|mine| {
        let broker = broker.clone();
        on_a_thread_of_its_own(move || async move {
            let others = if mine == "ping" { "pong" } else { "ping" };
            broker.declare(&queue(mine)).await.unwrap();
            broker.declare(&queue(others)).await.unwrap();
            let mut consumer = broker.consume(mine, 1).await.unwrap();
            if mine == "ping" {
                broker.publish(others, Message::new(Bytes::from("ball"))).await.unwrap();
            }
            for _ in 0..10_000 {
                let delivery = timeout(Duration::from_secs(10), consumer.next()).await.unwrap().unwrap();
                broker.publish(others, delivery.message.clone()).await.unwrap();
                delivery.ack();
            }
        })
    });
    players.into_iter().for_each(|player| player.join().unwrap());
}
