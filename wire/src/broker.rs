//! The seam to whatever carries messages: RabbitMQ, or the embedded broker in a single process.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod delivery;
mod embedded;
mod given_up;
mod listener;
mod queues;
mod rabbitmq;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Timestamp;

pub use delivery::{Consumer, Delivery, Heard, Subscription};
pub use embedded::Embedded;
pub use given_up::GivenUp;
pub use listener::Listener;
pub use queues::{
    DEAD_REQUESTS, DEAD_RESULTS, LEADER, RETRIES, callbacks_queue, capture_queue, dead_letters,
    dead_letters_of, dead_queue, func_of, func_queue, leader_queue, requests_queue, results_queue,
    retries_queue,
};

pub(crate) use queues::capture_queue_name;
pub use rabbitmq::{BadUrl, BrokerUrl, RabbitMq};

/// The queue that every request enters by.
pub const REQUESTS: &str = "requests";

/// The queue for the answers to calls whose callers do not wait.
pub const RESULTS: &str = "results";

/// The queue for those of these answers that are to be posted where their callers said: servers elsewhere
/// may be slow, and the results of others are not to wait for that.
pub const CALLBACKS: &str = "callbacks";

/// The longest that a message may be held back.
pub const DELAY_MAX: Duration = Duration::from_secs(60 * 60);

/// Carries messages between members.
///
/// Queues deliver each message to one of their consumers and keep it until it is settled; topics
/// deliver to every subscriber and keep nothing.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Makes sure that the queue exists, and the one for its dead letters with it. Declaring it again is no error
    /// and changes nothing.
    async fn declare(&self, queue: &Queue) -> Result<(), Error>;

    /// Removes the queue and what is in it. Its consumers end; removing what is not there is no error.
    async fn delete(&self, queue: &str) -> Result<(), Error>;

    /// Hands a message over. `Ok` means that the broker has it in that queue.
    ///
    /// # Errors
    /// [`Error::Unroutable`] and [`Error::Full`] mean that it was not accepted, now and for certain;
    /// [`Error::Unknown`] that it may have been.
    async fn publish(&self, queue: &str, message: Message) -> Result<(), Error>;

    /// Starts to consume, with at most `prefetch` deliveries unsettled at a time.
    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, Error>;

    /// How much waits in the queue.
    async fn depth(&self, queue: &str) -> Result<Depth, Error>;

    /// Sends to every present subscriber of the topic.
    async fn broadcast(&self, topic: Topic, payload: Bytes) -> Result<(), Error>;

    /// Receives what is broadcast from now on. A subscriber that falls behind loses the oldest and is told so.
    async fn subscribe(&self, topic: Topic) -> Result<Subscription, Error>;
}

/// What went wrong between us and the broker.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// There is no such queue.
    #[error("no queue {0}")]
    Unroutable(String),
    /// The queue is at its bound.
    #[error("queue {0} is full")]
    Full(String),
    /// The connection broke before the broker answered: the message may or may not be there.
    #[error("publish to {0} has an unknown outcome")]
    Unknown(String),
    /// The broker cannot be reached or takes nothing at present.
    #[error("broker is unavailable")]
    Unavailable,
    /// The broker does not let us in.
    #[error("broker refuses the user, the password or the virtual host")]
    Refused,
}

/// What a queue is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name, built from ids.
    pub name: String,
    /// How many messages may wait in it; a further one is refused.
    pub len_max: usize,
    /// How many bytes may wait in it; a message that would exceed that is refused.
    pub bytes_max: usize,
    /// Where messages go that are given up; without one they are dropped.
    pub dead_letter: Option<String>,
    /// Whether it is one member's own: only who declared it consumes it, and it goes when that one goes.
    /// What is in it is of no use to anybody else, so its deliveries count as settled when they arrive.
    pub private: bool,
    /// Whether only one of its consumers is given anything: the first, and when it goes, the next. Who holds what
    /// is in it knows to be the only one who does.
    pub single_active: bool,
}

/// What is handed to the broker: one or more JSON lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The lines.
    pub payload: Bytes,
    /// When it stops being of use: it is not delivered afterwards.
    pub expires_at: Option<Timestamp>,
    /// Why it was given up, on a message in a dead-letter queue: [`GivenUp`] reads it.
    pub dead_reason: Option<String>,
    /// Whether it outlives the broker's process: what was promised to a caller who does not wait.
    pub persistent: bool,
    /// Whether it may travel with others of its queue as one message. Its payload is whole lines then.
    pub joinable: bool,
    /// How long it is held back before it may be delivered, at least; [`DELAY_MAX`] at most. Only the
    /// firehose has to take such a message. Its expiry does not depend on it.
    pub delay: Option<Duration>,
}

impl Message {
    /// A message of these lines.
    pub fn new(payload: Bytes) -> Self {
        Self { payload, expires_at: None, dead_reason: None, persistent: false, joinable: false, delay: None }
    }

    /// The same message, kept across a restart of the broker.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// The same message, which may travel with others of its queue.
    #[must_use]
    pub fn joinable(mut self) -> Self {
        self.joinable = true;
        self
    }

    /// The message in a dead-letter queue that keeps these lines. It outlives the broker's process.
    pub fn dead(payload: Bytes, why: &GivenUp) -> Self {
        Self { dead_reason: Some(why.to_string()), ..Self::new(payload).persistent() }
    }

    /// The same message, held back for as long.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = Some(delay.min(DELAY_MAX));
        self
    }

    /// The same message, of no use after `at`.
    #[must_use]
    pub fn expires_at(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }
}

/// What a queue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages that wait for a consumer; not those that are held back.
    pub ready: usize,
    /// Messages that were delivered and are not settled, where the broker tells.
    pub unsettled: Option<usize>,
    /// Consumers.
    pub consumers: usize,
    /// Messages that are held back and come here when their delay is over.
    pub held_back: usize,
}

/// What everybody may hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// State from Tron to the members.
    Control,
    /// Heartbeats from the members to Tron.
    Heartbeats,
    /// Records of executions.
    Activations,
}

impl Topic {
    /// The topic's name on the broker.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Control => "funcatron.control",
            Self::Heartbeats => "funcatron.heartbeats",
            Self::Activations => "funcatron.activations",
        }
    }
}
