//! `Outbox`: what a runner sends about calls. It holds on to what the broker does not take at once.

mod gathering;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::time::sleep;
use tracing::warn;
use wire::broker::{
    self, GivenUp, Message, Queue, REQUESTS, RESULTS, RETRIES, dead_queue, requests_queue, results_queue,
    retries_queue,
};
use wire::{Answer, Backoff, Broker, BundleSha, Invoke, Timestamp, encode_line};

use gathering::{Gathering, Parcel};

/// Nobody waits for an answer any longer once its deadline is so much past.
const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// Who asked for a call.
pub(crate) struct Caller {
    reply_to: Option<String>,
    deadline: Timestamp,
    asynchronous: bool,
}

impl Caller {
    pub(crate) fn of(invoke: &Invoke) -> Self {
        let Invoke { reply_to, deadline, asynchronous, .. } = invoke;
        Self { reply_to: reply_to.clone(), deadline: *deadline, asynchronous: *asynchronous }
    }
}

/// Sends, and waits with what the broker does not take: a delivery is settled only after what becomes of
/// it is on its way, and to give it back after a part is would do that part twice.
#[derive(Clone)]
pub(crate) struct Outbox {
    broker: Arc<dyn Broker>,
    gathering: Arc<Gathering>,
}

impl Outbox {
    pub(crate) fn new(broker: Arc<dyn Broker>) -> Self {
        Self { broker, gathering: Arc::default() }
    }

    /// Puts a call into this queue, alone. Repeatable calls only: it may get there twice.
    ///
    /// # Errors
    /// When the queue has no room or is gone, or the call's time is up. A promised call waits for all of that.
    pub(crate) async fn put(&self, queue: &str, invoke: &Invoke) -> Result<(), broker::Error> {
        self.put_message(queue, Message::new(line(invoke)), invoke).await
    }

    /// The same, by way of a queue that holds it back for as long.
    pub(crate) async fn put_later(
        &self,
        queue: &str,
        invoke: &Invoke,
        wait: Duration,
    ) -> Result<(), broker::Error> {
        self.put_message(queue, Message::new(line(invoke)).delayed(wait), invoke).await
    }

    async fn put_message(&self, queue: &str, message: Message, invoke: &Invoke) -> Result<(), broker::Error> {
        self.send(queue, expiring(message, invoke.asynchronous, invoke.deadline), invoke.asynchronous).await
    }

    /// Puts a promised call into the firehose, which holds it back for as long.
    pub(crate) async fn hold_back(&self, invoke: &Invoke, wait: Duration) {
        let message = Message::new(line(invoke)).persistent().delayed(wait);
        if let Err(error) = self.send(REQUESTS, message, true).await {
            warn!(request_id = %invoke.id, activation = %invoke.activation, namespace = %invoke.namespace, %error,
                "call lost");
        }
    }

    /// Sends an answer to its caller. One that nobody can take is dropped, unless its call was promised.
    pub(crate) async fn answer(&self, caller: &Caller, answer: &Answer) {
        let Caller { reply_to: Some(reply_to), deadline, asynchronous } = caller else { return };
        let sent = if *asynchronous {
            self.send(reply_to, Message::new(line(answer)).persistent(), true).await
        } else {
            self.send_soon(reply_to, line(answer), deadline.after(ANSWER_GRACE)).await
        };
        if let Err(error) = sent {
            let bundle = answer.bundle.as_ref().map(BundleSha::short);
            warn!(request_id = %answer.id, activation = %answer.activation, bundle, queue = %reply_to, %error,
                "answer dropped");
        }
    }

    /// Keeps a call for an operator.
    pub(crate) async fn bury_call(&self, queue: &str, invoke: &Invoke, why: &GivenUp) {
        warn!(request_id = %invoke.id, activation = %invoke.activation, namespace = %invoke.namespace, queue,
            why = %why.reason, attempts = why.attempts, "call dead-lettered");
        self.keep_dead(queue, line(invoke), why, invoke.asynchronous).await;
    }

    /// Keeps lines for an operator that nobody can read. Those of which nobody was promised anything are dropped when there is no room.
    pub(crate) async fn bury(&self, queue: &str, lines: Bytes, why: &GivenUp, promised: bool) {
        warn!(queue, why = %why.reason, attempts = why.attempts, bytes = lines.len(), "message dead-lettered");
        self.keep_dead(queue, lines, why, promised).await;
    }

    async fn keep_dead(&self, queue: &str, lines: Bytes, why: &GivenUp, promised: bool) {
        if let Err(error) = self.send(queue, Message::dead(lines, why), promised).await {
            warn!(queue, %error, "dead letter lost");
        }
    }

    /// Sends a line together with others that are ready soon, and with what waits for the same queue.
    async fn send_soon(&self, queue: &str, line: Bytes, expires_at: Timestamp) -> Result<(), broker::Error> {
        let (is_first, sent) = self.gathering.add(queue, line, expires_at);
        if is_first {
            // It gets its turn when this thread has done what it could do at once.
            let outbox = self.clone();
            tokio::spawn(async move { outbox.flush() });
        }
        // Whoever sends tells.
        sent.await.unwrap_or_else(|_gone| Err(broker::Error::Unknown(queue.to_owned())))
    }

    /// Does work that may keep its thread from all else, and sends what waits whenever it has waited for long.
    pub(crate) fn timely<F: Future + Unpin>(&self, mut work: F) -> impl Future<Output = F::Output> {
        poll_fn(move |context| {
            let polled = work.poll_unpin(context);
            if self.gathering.is_due() {
                self.flush();
            }
            polled
        })
    }

    /// Hands everything that waits to the broker.
    fn flush(&self) {
        for parcel in self.gathering.take() {
            let mut sending = Box::pin(self.clone().send_parcel(parcel));
            // The first poll hands it over, however busy the thread is from now on.
            if sending.as_mut().now_or_never().is_none() {
                tokio::spawn(sending);
            }
        }
    }

    async fn send_parcel(self, parcel: Parcel) {
        let outcome = self.send(&parcel.queue, parcel.message(), false).await;
        parcel.tell(&outcome);
    }

    /// Publishes until the broker has it; a message that is not promised is given up when it is refused
    /// for certain, or of no use any more.
    async fn send(&self, queue: &str, message: Message, promised: bool) -> Result<(), broker::Error> {
        let mut backoff = Backoff::new();
        loop {
            let Err(error) = self.broker.publish(queue, message.clone()).await else { return Ok(()) };
            let refused = match error {
                broker::Error::Full(_) => true,
                broker::Error::Unroutable(_) => !self.restore(queue).await,
                broker::Error::Unknown(_) | broker::Error::Unavailable | broker::Error::Refused => false,
            };
            let useless = message.expires_at.is_some_and(|at| at <= Timestamp::now());
            if useless || (refused && !promised) {
                return Err(error);
            }
            warn!(queue, %error, "message not taken, trying again");
            sleep(backoff.wait()).await;
        }
    }

    /// Declares a queue that went away with the broker's memory, if it is one that everybody knows.
    async fn restore(&self, queue: &str) -> bool {
        let Some(lasting) = lasting(queue) else { return false };
        self.broker.declare(&lasting).await.is_ok()
    }
}

fn lasting(queue: &str) -> Option<Queue> {
    match queue {
        REQUESTS => Some(requests_queue()),
        RETRIES => Some(retries_queue()),
        RESULTS => Some(results_queue()),
        _ if queue.starts_with("dead.") => Some(dead_queue(queue)),
        _ => None,
    }
}

/// What was promised outlives the broker's process and does not end in silence when its time is up.
fn expiring(message: Message, asynchronous: bool, at: Timestamp) -> Message {
    if asynchronous { message.persistent() } else { message.expires_at(at) }
}

fn line<T: serde::Serialize>(message: &T) -> Bytes {
    // Calls and answers are texts and numbers: they can always be written.
    encode_line(message).unwrap_or_default()
}
