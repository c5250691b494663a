//! A broker that is in trouble, as those elsewhere are now and then.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use wire::broker::{Consumer, Depth, Embedded, Error, Message, Queue, Subscription, Topic};
use wire::{Broker, Invoke, decode_line};

use crate::harness::{Deployment, begin_over, config, invoke};

/// Each refuses so many publishes to a queue.
pub(crate) type Refusals = VecDeque<(&'static str, Error)>;

/// A broker that refuses some of what it is asked for.
pub(crate) struct Troubled {
    broker: Arc<dyn Broker>,
    /// To publish to a queue of this prefix is a mistake that ends the thread.
    fatal: Option<&'static str>,
    /// Publishes to queues of this prefix that fail, the next first.
    refusals: Mutex<Refusals>,
    /// How many subscriptions and consumers are lost as soon as they are there.
    lost: Mutex<usize>,
    published: Mutex<Vec<(String, Message)>>,
}

impl Troubled {
    pub(crate) fn over(broker: &Arc<dyn Broker>, lost: usize, refusals: impl Into<Refusals>) -> Arc<Self> {
        let (refusals, lost) = (Mutex::new(refusals.into()), Mutex::new(lost));
        Arc::new(Self { broker: broker.clone(), fatal: None, refusals, lost, published: Mutex::default() })
    }

    pub(crate) fn fatal(broker: &Arc<dyn Broker>, prefix: &'static str) -> Arc<Self> {
        let (refusals, lost, published) = Default::default();
        Arc::new(Self { broker: broker.clone(), fatal: Some(prefix), refusals, lost, published })
    }

    fn is_lost(&self) -> bool {
        let mut lost = self.lost.lock().unwrap();
        let is_lost = *lost > 0;
        *lost = lost.saturating_sub(1);
        is_lost
    }

    fn refusal(&self, queue: &str) -> Option<Error> {
        let mut refusals = self.refusals.lock().unwrap();
        let index = refusals.iter().position(|(prefix, _)| queue.starts_with(prefix))?;
        refusals.remove(index).map(|(_, error)| error)
    }

    /// What the broker took for this queue.
    pub(crate) fn taken(&self, queue: &str) -> Vec<Message> {
        let published = self.published.lock().unwrap();
        published.iter().filter(|(name, _)| name == queue).map(|(_, message)| message.clone()).collect()
    }
}

#[async_trait]
impl Broker for Troubled {
    async fn declare(&self, queue: &Queue) -> Result<(), Error> {
        self.broker.declare(queue).await
    }
    async fn delete(&self, queue: &str) -> Result<(), Error> {
        self.broker.delete(queue).await
    }
    async fn publish(&self, queue: &str, message: Message) -> Result<(), Error> {
        assert!(self.fatal.is_none_or(|prefix| !queue.starts_with(prefix)), "a fatal mistake");
        if let Some(error) = self.refusal(queue) {
            return Err(error);
        }
        self.broker.publish(queue, message.clone()).await?;
        self.published.lock().unwrap().push((queue.to_owned(), message));
        Ok(())
    }
    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, Error> {
        if !self.is_lost() {
            return self.broker.consume(queue, prefetch).await;
        }
        let gone = Embedded::new();
        gone.declare(&wire::broker::requests_queue()).await?;
        gone.consume(wire::broker::REQUESTS, prefetch).await
    }
    async fn depth(&self, queue: &str) -> Result<Depth, Error> {
        self.broker.depth(queue).await
    }
    async fn broadcast(&self, topic: Topic, payload: Bytes) -> Result<(), Error> {
        self.broker.broadcast(topic, payload).await
    }
    async fn subscribe(&self, topic: Topic) -> Result<Subscription, Error> {
        if self.is_lost() {
            Embedded::new().subscribe(topic).await
        } else {
            self.broker.subscribe(topic).await
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_goes_on_when_it_loses_its_subscription_and_its_consumers() {
    let broker: Arc<dyn Broker> = Arc::new(Embedded::new());
    let troubled = Troubled::over(&broker, 4, []);
    let mut harness = begin_over(broker, troubled, config(), Deployment::of("funcs/hello-rust")).await;
    // Nobody knows when it listens again; whoever is behind is told again, as Tron does.
    while tokio::time::timeout(Duration::from_millis(100), harness.heartbeat(1)).await.is_err() {
        harness.assign(1, vec![harness.func.clone()]).await;
    }
    assert_eq!(harness.get("/api/").await.status, 200);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promised_call_survives_whatever_its_broker_refuses() {
    let broker: Arc<dyn Broker> = Arc::new(Embedded::new());
    let full = |queue: &'static str| (queue, Error::Full(queue.into()));
    let refusals = [
        full("func."),
        ("func.", Error::Unavailable),
        ("func.", Error::Unroutable("func.".into())),
        full("retries"),
        ("retries", Error::Unroutable("retries".into())),
        full("reply."),
        ("reply.", Error::Unknown("reply.".into())),
    ];
    let troubled = Troubled::over(&broker, 0, refusals);
    let mut harness = begin_over(broker, troubled.clone(), config(), Deployment::of("funcs/hello-js")).await;
    harness.heartbeat(1).await;
    for (begun_before, put_into) in
        [(1, harness.queue.as_str()), (2, "retries")].map(|(n, q)| (n, q.to_owned()))
    {
        let call = Invoke { asynchronous: true, attempt: begun_before, ..invoke("GET", "/api/ada") };
        harness.cut_off(&[call]).await;
        let answer = harness.answer().await;
        assert_eq!((answer.status, answer.attempt), (200, begun_before + 1));
        let [put] = &troubled.taken(&put_into)[..] else { panic!("put back more than once") };
        assert!(put.persistent && !put.joinable && put.expires_at.is_none(), "{put:?}");
        assert_eq!(decode_line::<Invoke>(&put.payload).unwrap().attempt, begun_before + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promised_call_waits_for_room_among_the_dead_letters() {
    let broker: Arc<dyn Broker> = Arc::new(Embedded::new());
    let dead = ("dead.", Error::Full("dead".into()));
    let troubled = Troubled::over(&broker, 0, [dead.clone(), dead]);
    let mut harness = begin_over(broker, troubled, config(), Deployment::of("funcs/hello-js")).await;
    harness.heartbeat(1).await;
    let call = Invoke { asynchronous: true, attempt: 3, ..invoke("GET", "/api/ada") };
    harness.cut_off(std::slice::from_ref(&call)).await;
    assert_eq!(harness.answer().await.status, 502);
    let dead = harness.next(&harness.dead_letters()).await;
    assert_eq!(decode_line::<Invoke>(&dead.payload).unwrap().id, call.id);
}
