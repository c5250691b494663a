//! `Replies`: takes answers from a member's own queue to the calls that wait for them.

mod in_flight;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crate::broker::{self, Broker, Consumer, Queue};
use crate::{Answer, Chain, MemberId, decode_line, split_lines};
use bytes::Bytes;
use tokio::time::sleep;
use tracing::{debug, warn};

pub use in_flight::{InFlight, Place};

/// As many as may wait for us: each is settled as soon as it is read.
const PREFETCH: u16 = 1_024;
/// Answers that nobody reads fast enough are worth less with every second: fewer than may be in flight
/// would lose some, many more only hold memory.
const LEN_MAX: usize = 16_384;
/// What one process can hold in memory beside its work.
const BYTES_MAX: usize = 128 * 1024 * 1024;
/// Long enough not to burden a broker that is coming back, short against the timeout of a call.
const REOPEN_PAUSE: Duration = Duration::from_millis(500);

/// The name of the queue for the answers to a member's calls.
pub fn queue_name(member: &MemberId) -> String {
    format!("reply.{member}")
}

/// A member's own queue, and the calls that wait for what comes from it.
pub struct Replies {
    broker: Arc<dyn Broker>,
    queue: String,
    in_flight: InFlight,
    consumer: Consumer,
    unmatched: u64,
}

impl Replies {
    /// Declares the queue and starts to consume it.
    ///
    /// # Errors
    /// When the broker does not let us have it.
    pub async fn open(
        broker: Arc<dyn Broker>,
        queue: String,
        in_flight: InFlight,
    ) -> Result<Self, broker::Error> {
        let consumer = consume(&*broker, &queue).await?;
        Ok(Self { broker, queue, in_flight, consumer, unmatched: 0 })
    }

    /// Hands answers on for as long as it is polled.
    pub async fn run(mut self) -> Infallible {
        loop {
            while let Some(delivery) = self.consumer.next().await {
                self.settle(&delivery.message.payload);
                delivery.ack();
            }
            warn!(queue = %self.queue, "reply queue lost");
            self.reopen().await;
        }
    }

    fn settle(&mut self, payload: &Bytes) {
        for line in split_lines(payload) {
            match decode_line::<Answer>(&line) {
                Ok(answer) => self.hand_on(answer),
                Err(error) => {
                    warn!(queue = %self.queue, error = %Chain(&error), "answer dropped: it cannot be read");
                }
            }
        }
    }

    fn hand_on(&mut self, answer: Answer) {
        let activation = answer.activation;
        if !self.in_flight.settle(answer) {
            self.unmatched += 1;
            debug!(%activation, unmatched = self.unmatched, "answer dropped: no call waits for it");
        }
    }

    async fn reopen(&mut self) {
        loop {
            sleep(REOPEN_PAUSE).await;
            match consume(&*self.broker, &self.queue).await {
                Ok(consumer) => {
                    self.consumer = consumer;
                    return;
                }
                Err(error) => warn!(queue = %self.queue, %error, "cannot open the reply queue"),
            }
        }
    }
}

async fn consume(broker: &dyn Broker, queue: &str) -> Result<Consumer, broker::Error> {
    let shape = Queue {
        name: queue.to_owned(),
        len_max: LEN_MAX,
        bytes_max: BYTES_MAX,
        dead_letter: None,
        private: true,
        single_active: false,
    };
    broker.declare(&shape).await?;
    broker.consume(queue, PREFETCH).await
}
