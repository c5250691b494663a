//! `RabbitMq`: the broker of a cluster, over two connections that heal by themselves.

mod batch;
mod burial;
mod clerk;
mod cohort;
mod delay;
mod desk;
mod envelope;
mod lane;
mod line;
mod pause;
mod seat;
mod session;
mod settlement;
mod subscriber;
#[cfg(test)]
mod tests;
mod topology;
mod url;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{broadcast, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::batch::Job;
use self::line::Upkeep;
use self::session::{Consuming, Publishing, queue_error};
use self::subscriber::Subscriber;
use super::{Broker, Consumer, Depth, Error, Message, Queue, REQUESTS, Subscription, Topic, dead_letters_of};

use seat::Place;
pub(super) use seat::{Seat, Unsettled};
pub use url::{BadUrl, BrokerUrl};

/// How many payloads a subscriber may be behind before it misses the oldest.
const TOPIC_LEN_MAX: usize = 1024;

/// A RabbitMQ. What breaks is made again; what is asked for meanwhile is refused.
pub struct RabbitMq {
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What the handle and the receiving ends share.
struct Shared {
    publishing: watch::Receiver<Option<Arc<Publishing>>>,
    consuming: watch::Receiver<Option<Arc<Consuming>>>,
    /// Queues that were declared here, to be declared again on a broker that lost them.
    known: Arc<Mutex<HashMap<String, Queue>>>,
}

impl RabbitMq {
    /// Connects, and waits for as long as the broker is not there. RabbitMQ shows `name` for the connections.
    ///
    /// # Errors
    /// When the broker is there and refuses the credentials or the virtual host.
    pub async fn connect(url: &BrokerUrl, name: &str) -> Result<Self, Error> {
        let (stop, tasks, refused) = (CancellationToken::new(), TaskTracker::new(), CancellationToken::new());
        let (up, mut publishing) = watch::channel(None);
        let publish = Upkeep {
            url: url.clone(),
            name: format!("{name} publish"),
            open: Box::new({
                let tasks = tasks.clone();
                move |line| Publishing::open(line, tasks.clone())
            }),
            up,
            refused: refused.clone(),
        };
        let (up, mut consuming) = watch::channel(None);
        let known: Arc<Mutex<HashMap<String, Queue>>> = Arc::default();
        let to_declare = known.clone();
        let consume = Upkeep {
            url: url.clone(),
            name: format!("{name} consume"),
            open: Box::new({
                let tasks = tasks.clone();
                move |line| Consuming::open(line, known_queues(&to_declare), tasks.clone())
            }),
            up,
            refused: refused.clone(),
        };
        tasks.spawn(publish.run(stop.clone()));
        tasks.spawn(consume.run(stop.clone()));
        let broker = Self {
            shared: Arc::new(Shared { publishing: publishing.clone(), consuming: consuming.clone(), known }),
            stop,
            tasks,
        };
        // The tasks that set them live for as long as the broker.
        let both_up = async {
            _ = publishing.wait_for(Option::is_some).await.map(drop);
            _ = consuming.wait_for(Option::is_some).await.map(drop);
        };
        tokio::select! {
            () = refused.cancelled() => Err(Error::Refused),
            () = both_up => Ok(broker),
        }
    }

    /// Ends the connections in order, once everything that was settled is with the broker. What is still
    /// unsettled goes back to its queue.
    pub async fn close(&self) {
        if let Some(session) = self.shared.consuming() {
            session.flush().await;
        }
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[async_trait]
impl Broker for RabbitMq {
    async fn declare(&self, queue: &Queue) -> Result<(), Error> {
        self.shared.declare(queue).await
    }

    async fn delete(&self, queue: &str) -> Result<(), Error> {
        self.shared.forget(queue);
        if check_name(queue).is_err() {
            return Ok(());
        }
        let session = self.shared.consuming().ok_or(Error::Unavailable)?;
        match session.delete(queue).await.map_err(|error| queue_error(&error, queue)) {
            Ok(()) | Err(Error::Unroutable(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn publish(&self, queue: &str, message: Message) -> Result<(), Error> {
        self.shared.publish(queue, message).await
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, Error> {
        check_name(queue)?;
        let session = self.shared.consuming().ok_or(Error::Unavailable)?;
        let known = self.shared.known().get(queue).cloned();
        let place = Place {
            shared: Arc::downgrade(&self.shared),
            queue: queue.to_owned(),
            no_ack: known.as_ref().is_some_and(|queue| queue.private),
            dead_letter: known.map_or_else(|| Some(dead_letters_of(queue)), |queue| queue.dead_letter),
        };
        let seat = session.consume(place, prefetch).await;
        seat.map(Consumer::rabbitmq).map_err(|error| queue_error(&error, queue))
    }

    async fn depth(&self, queue: &str) -> Result<Depth, Error> {
        check_name(queue)?;
        let session = self.shared.consuming().ok_or(Error::Unavailable)?;
        let depth = session.depth(queue).await.map_err(|error| queue_error(&error, queue))?;
        let held_back = if queue == REQUESTS { held_back(&session).await? } else { 0 };
        Ok(Depth { held_back, ..depth })
    }

    async fn broadcast(&self, topic: Topic, payload: Bytes) -> Result<(), Error> {
        self.shared.send(topic.as_str(), "", Message::new(payload), false).await
    }

    async fn subscribe(&self, topic: Topic) -> Result<Subscription, Error> {
        let (heard, receiver) = broadcast::channel(TOPIC_LEN_MAX);
        let shared = Arc::downgrade(&self.shared);
        let subscriber = Subscriber { shared, topic, heard, stop: self.stop.clone() };
        let opened = subscriber.open().await.map_err(|error| queue_error(&error, topic.as_str()))?;
        self.tasks.spawn(subscriber.run(opened.ok_or(Error::Unavailable)?));
        Ok(Subscription::new(receiver))
    }
}

impl Shared {
    async fn declare(&self, queue: &Queue) -> Result<(), Error> {
        let session = self.consuming().ok_or(Error::Unavailable)?;
        check_name(&queue.name)?;
        if let Some(dead_letter) = &queue.dead_letter {
            check_name(dead_letter)?;
            let dead = super::dead_queue(dead_letter);
            session.declare(&dead).await.map_err(|error| queue_error(&error, dead_letter))?;
            self.known().insert(dead_letter.clone(), dead);
        }
        session.declare(queue).await.map_err(|error| queue_error(&error, &queue.name))?;
        self.known().insert(queue.name.clone(), queue.clone());
        Ok(())
    }

    async fn publish(&self, queue: &str, message: Message) -> Result<(), Error> {
        match message.delay {
            None => self.send(topology::exchange_of(queue), queue, message, true).await,
            Some(delay) if queue == REQUESTS => self.publish_later(&delay::queue_of(delay), message).await,
            // Only the firehose has anything behind it that holds messages back.
            Some(_) => Err(Error::Unroutable(queue.to_owned())),
        }
    }

    /// Publishes to a queue of messages that are held back, which comes to be when it is first needed.
    async fn publish_later(&self, queue: &str, message: Message) -> Result<(), Error> {
        let send = || self.send(delay::DELAYS_EXCHANGE, queue, message.clone(), true);
        match send().await {
            Err(Error::Unroutable(_)) => {}
            outcome => return outcome,
        }
        let session = self.consuming().ok_or(Error::Unavailable)?;
        session.declare_delay(queue).await.map_err(|error| queue_error(&error, queue))?;
        send().await
    }

    async fn send(
        &self,
        exchange: &'static str,
        key: &str,
        message: Message,
        mandatory: bool,
    ) -> Result<(), Error> {
        check_name(key)?;
        let session = self.publishing.borrow().clone().ok_or(Error::Unavailable)?;
        let (done, outcome) = oneshot::channel();
        session.hand_over(Job { exchange, key: key.to_owned(), message, mandatory, done }).await?;
        // Who does not answer ended before it began.
        outcome.await.unwrap_or(Err(Error::Unavailable))
    }

    fn consuming(&self) -> Option<Arc<Consuming>> {
        self.consuming.borrow().clone()
    }

    fn forget(&self, queue: &str) {
        self.known().remove(queue);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Queue>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many messages wait for their delay to be over. A queue that was never needed is not there.
async fn held_back(session: &Consuming) -> Result<usize, Error> {
    let mut held_back = 0;
    for queue in delay::queues() {
        match session.depth(&queue).await.map_err(|error| queue_error(&error, &queue)) {
            Ok(depth) => held_back += depth.ready,
            Err(Error::Unroutable(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(held_back)
}

/// No queue has a name that the protocol cannot write: its short strings have one byte for their length.
fn check_name(queue: &str) -> Result<(), Error> {
    if queue.len() <= usize::from(u8::MAX) { Ok(()) } else { Err(Error::Unroutable(queue.to_owned())) }
}

fn known_queues(known: &Mutex<HashMap<String, Queue>>) -> Vec<Queue> {
    known.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
}
