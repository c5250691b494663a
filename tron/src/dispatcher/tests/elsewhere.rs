//! What becomes of calls when the broker is in another process: it takes time, refuses and goes away.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::Barrier;
use wire::broker::{Depth, Error, Subscription, Topic};

use super::*;

/// A broker that confirms what is published to Funcs only when as many publishes wait as `together` says,
/// and can be told to break.
struct Elsewhere {
    inside: Arc<Embedded>,
    together: Barrier,
    is_down: AtomicBool,
    breaks: AtomicBool,
}

impl Elsewhere {
    fn new(together: usize) -> Arc<Self> {
        let (inside, together) = (Arc::new(Embedded::new()), Barrier::new(together));
        Arc::new(Self { inside, together, is_down: AtomicBool::new(false), breaks: AtomicBool::new(false) })
    }

    fn reach(&self) -> Result<&Embedded, Error> {
        if self.is_down.load(Ordering::Relaxed) { Err(Error::Unavailable) } else { Ok(&self.inside) }
    }
}

#[async_trait]
impl Broker for Elsewhere {
    async fn declare(&self, queue: &Queue) -> Result<(), Error> {
        self.reach()?.declare(queue).await
    }

    async fn delete(&self, queue: &str) -> Result<(), Error> {
        self.reach()?.delete(queue).await
    }

    async fn publish(&self, queue: &str, message: Message) -> Result<(), Error> {
        self.reach()?.publish(queue, message).await?;
        if queue.starts_with("func.") {
            self.together.wait().await;
            if self.breaks.load(Ordering::Relaxed) {
                return Err(Error::Unknown(queue.to_owned()));
            }
        }
        Ok(())
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, Error> {
        self.reach()?.consume(queue, prefetch).await
    }

    async fn depth(&self, queue: &str) -> Result<Depth, Error> {
        self.reach()?.depth(queue).await
    }

    async fn broadcast(&self, topic: Topic, payload: Bytes) -> Result<(), Error> {
        self.reach()?.broadcast(topic, payload).await
    }

    async fn subscribe(&self, topic: Topic) -> Result<Subscription, Error> {
        self.reach()?.subscribe(topic).await
    }
}

impl Bench {
    /// Waits until the firehose is as asked: how many wait in it, how many are held, who consumes it.
    async fn firehose(&self, ready: usize, unsettled: usize, consumers: usize) {
        let is_so = |depth: Depth| {
            (depth.ready, depth.unsettled, depth.consumers) == (ready, Some(unsettled), consumers)
        };
        while !self.broker.depth(REQUESTS).await.is_ok_and(is_so) {
            tokio::task::yield_now().await;
        }
    }
}

fn promised(path: &str) -> Invoke {
    Invoke { asynchronous: true, ..invoke(path) }
}

#[tokio::test(start_paused = true)]
async fn calls_do_not_wait_for_each_others_confirmation_and_keep_their_order() {
    let broker = Elsewhere::new(3);
    let bench = Bench::over(broker.inside.clone(), broker).await;
    let calls = [1, 2, 3].map(|n| line(&invoke(&format!("/a/{n}"))));
    bench.send(calls[0].clone()).await;
    bench.send(calls[1].clone()).await;
    bench.firehose(0, 2, 1).await;
    // The third lets the broker confirm all of them.
    bench.send(calls[2].clone()).await;
    bench.firehose(0, 0, 1).await;
    let mut func = bench.consume(&func("/a", 0)).await;
    for call in calls {
        let delivery = func.next().await.unwrap();
        assert_eq!(delivery.message.payload, call);
        delivery.ack();
    }
}

#[tokio::test(start_paused = true)]
async fn a_forward_that_breaks_off_is_said_to_have_an_unknown_outcome() {
    let broker = Elsewhere::new(1);
    broker.breaks.store(true, Ordering::Relaxed);
    let bench = Bench::over(broker.inside.clone(), broker).await;
    bench.send(line(&invoke("/a"))).await;
    let answer = bench.answer().await;
    let wire::Body::Inline(body) = answer.body else { panic!("no body") };
    assert_eq!(answer.status, 502);
    assert!(String::from_utf8(body.to_vec()).unwrap().contains("outcome-unknown"), "{body:?}");
}

#[tokio::test(start_paused = true)]
async fn a_promised_call_is_held_back_while_its_queue_is_full() {
    let bench = Bench::start().await;
    bench.broker.delete(&func("/a", 0)).await.unwrap();
    bench.broker.declare(&queue(&func("/a", 0), 1)).await.unwrap();
    let [first, second] = [promised("/a"), promised("/a")].map(|call| line(&call));
    bench.send(first.clone()).await;
    bench.send(second.clone()).await;
    bench.firehose(0, 0, 1).await;
    let mut func = bench.consume(&func("/a", 0)).await;
    for call in [first, second] {
        let delivery = func.next().await.unwrap();
        assert_eq!(delivery.message.payload, call);
        delivery.ack();
    }
    bench.firehose(0, 0, 1).await;
    assert_eq!(bench.broker.depth(REPLIES).await.unwrap().ready, 0, "nobody is told anything");
}

#[tokio::test(start_paused = true)]
async fn a_promised_call_outlives_an_unknown_outcome() {
    let broker = Elsewhere::new(1);
    broker.breaks.store(true, Ordering::Relaxed);
    let bench = Bench::over(broker.inside.clone(), broker.clone()).await;
    bench.send(line(&promised("/a"))).await;
    let mut func = bench.consume(&func("/a", 0)).await;
    func.next().await.unwrap().ack();
    broker.breaks.store(false, Ordering::Relaxed);
    // It may come a second time: that is the price of never losing it. Whoever runs it is told.
    let again = func.next().await.unwrap();
    assert_eq!(wire::decode_line::<Invoke>(&again.message.payload).unwrap().attempt, 2);
    again.ack();
    bench.firehose(0, 0, 1).await;
}

#[tokio::test]
async fn promised_calls_travel_alone_and_outlive_the_broker() {
    let bench = Bench::start().await;
    let (one, two) = (line(&promised("/a/1")), line(&promised("/a/2")));
    let [left, right] = ["/a/3", "/a/4"].map(|path| line(&invoke(path)));
    bench.send([&left[..], &one, &right, &two].concat().into()).await;
    let mut func = bench.consume(&func("/a", 0)).await;
    let mut messages = Vec::new();
    for _ in 0..3 {
        let delivery = func.next().await.unwrap();
        messages.push(delivery.message.clone());
        delivery.ack();
    }
    assert_eq!(messages[0].payload, [left, right].concat());
    assert!(messages[0].joinable && !messages[0].persistent);
    for (message, call) in messages[1..].iter().zip([one, two]) {
        assert_eq!(message.payload, call);
        assert!(message.persistent && !message.joinable && message.expires_at.is_none(), "{message:?}");
    }
}

#[tokio::test]
async fn the_result_of_a_promised_call_outlives_the_broker() {
    let bench = Bench::start().await;
    bench.send(line(&promised("/none"))).await;
    let delivery = bench.consume(REPLIES).await.next().await.unwrap();
    assert!(delivery.message.persistent && delivery.message.expires_at.is_none(), "{:?}", delivery.message);
}

#[tokio::test(start_paused = true)]
async fn a_line_without_an_end_is_not_joined_to_others_as_it_is() {
    let bench = Bench::start().await;
    let call = line(&invoke("/a"));
    bench.send(call.slice(..call.len() - 1)).await;
    let delivery = bench.consume(&func("/a", 0)).await.next().await.unwrap();
    assert_eq!(delivery.message.payload, call);
}

#[tokio::test(start_paused = true)]
async fn a_firehose_that_was_deleted_is_declared_and_consumed_again() {
    let bench = Bench::start().await;
    bench.firehose(0, 0, 1).await;
    bench.broker.delete(REQUESTS).await.unwrap();
    while bench.broker.depth(REQUESTS).await.is_err() {
        tokio::time::advance(std::time::Duration::from_millis(50)).await;
    }
    let call = line(&invoke("/a"));
    bench.send(call.clone()).await;
    assert_eq!(bench.consume(&func("/a", 0)).await.next().await.unwrap().message.payload, call);
}

#[tokio::test(start_paused = true)]
async fn a_dispatcher_waits_for_its_broker() {
    let broker = Elsewhere::new(1);
    broker.is_down.store(true, Ordering::Relaxed);
    let bench = Bench::over(broker.inside.clone(), broker.clone()).await;
    let call = line(&invoke("/a"));
    bench.send(call.clone()).await;
    bench.firehose(1, 0, 0).await;
    broker.is_down.store(false, Ordering::Relaxed);
    assert_eq!(bench.consume(&func("/a", 0)).await.next().await.unwrap().message.payload, call);
}
