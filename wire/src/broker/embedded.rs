//! `Embedded`: the broker inside a single process.

mod queue;
mod seat;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::broadcast;

use super::{Broker, Consumer, Depth, Error, Heard, Message, Queue, Subscription, Topic, dead_queue};

pub(super) use seat::{Outcome, Seat, Unsettled};

/// How many payloads a subscriber may be behind before it misses the oldest: some seconds of heartbeats
/// and control, and a tenth of a second of activations at full load.
const TOPIC_LEN_MAX: usize = 1024;

/// Queues and topics in memory, for one process that is everything: nothing outlives it.
#[derive(Clone, Default)]
pub struct Embedded {
    shared: Arc<Shared>,
}

/// What every handle of one broker shares. Queues point back to it weakly, so that the broker ends with
/// the last handle, and its consumers and subscribers with it.
struct Shared {
    queues: RwLock<HashMap<String, Arc<queue::Queue>>>,
    control: broadcast::Sender<Heard>,
    heartbeats: broadcast::Sender<Heard>,
    activations: broadcast::Sender<Heard>,
}

impl Embedded {
    /// A broker with no queues.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Broker for Embedded {
    async fn declare(&self, queue: &Queue) -> Result<(), Error> {
        let broker = Arc::downgrade(&self.shared);
        let mut queues = self.shared.queues.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(dead_letter) = &queue.dead_letter {
            add(&mut queues, &broker, dead_queue(dead_letter));
        }
        add(&mut queues, &broker, queue.clone());
        Ok(())
    }

    async fn delete(&self, queue: &str) -> Result<(), Error> {
        let removed = self.shared.queues.write().unwrap_or_else(PoisonError::into_inner).remove(queue);
        if let Some(queue) = removed {
            queue.close();
        }
        Ok(())
    }

    async fn publish(&self, queue: &str, message: Message) -> Result<(), Error> {
        self.shared.queue(queue)?.push(message)
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, Error> {
        let queue = self.shared.queue(queue)?;
        queue.join(prefetch).map(Consumer::embedded)
    }

    async fn depth(&self, queue: &str) -> Result<Depth, Error> {
        Ok(self.shared.queue(queue)?.depth())
    }

    async fn broadcast(&self, topic: Topic, payload: Bytes) -> Result<(), Error> {
        // It fails when nobody listens, which is how a topic is meant to be.
        let _listeners = self.shared.topic(topic).send(Heard::Payload(payload));
        Ok(())
    }

    async fn subscribe(&self, topic: Topic) -> Result<Subscription, Error> {
        Ok(Subscription::new(self.shared.topic(topic).subscribe()))
    }
}

fn add(queues: &mut HashMap<String, Arc<queue::Queue>>, broker: &Weak<Shared>, queue: Queue) {
    let name = queue.name.clone();
    queues.entry(name).or_insert_with(|| Arc::new(queue::Queue::new(queue, broker.clone())));
}

impl Shared {
    fn queue(&self, name: &str) -> Result<Arc<queue::Queue>, Error> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues.get(name).cloned().ok_or_else(|| Error::Unroutable(name.to_owned()))
    }

    fn topic(&self, topic: Topic) -> &broadcast::Sender<Heard> {
        match topic {
            Topic::Control => &self.control,
            Topic::Heartbeats => &self.heartbeats,
            Topic::Activations => &self.activations,
        }
    }
}

impl Default for Shared {
    fn default() -> Self {
        let topic = || broadcast::Sender::new(TOPIC_LEN_MAX);
        Self { queues: RwLock::default(), control: topic(), heartbeats: topic(), activations: topic() }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let queues = self.queues.get_mut().unwrap_or_else(PoisonError::into_inner);
        queues.values().for_each(|queue| queue.close());
    }
}
