//! `Dispatcher`: moves calls from the firehose to the queues of Funcs.

mod decision;
mod sorted;

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use wire::broker::{self, DEAD_REQUESTS, Delivery, Message, REQUESTS, dead_queue, requests_queue};
use wire::{Answer, Broker, Component, InvokeHead, Problem, ProblemKind, Timestamp};

use crate::Error;
use crate::table::Table;
use sorted::{Dead, Reply, Sorted};

/// Messages taken from the broker at a time: enough to keep it busy between two acknowledgements.
const PREFETCH: u16 = 512;

/// Messages moved before others on this thread get their turn: well under a millisecond of work.
const BATCH_MAX: usize = 64;

/// How long a caller should wait when the queue of its Func is full.
const RETRY_AFTER_SECONDS: &str = "1";

/// Moves calls from the firehose to the queues of Funcs.
pub(crate) struct Dispatcher {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) table: watch::Receiver<Arc<Table>>,
}

impl Dispatcher {
    /// Dispatches until shutdown. What is in the firehose then stays there.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        self.broker.declare(&dead_queue(DEAD_REQUESTS)).await?;
        self.broker.declare(&requests_queue()).await?;
        let mut requests = self.broker.consume(REQUESTS, PREFETCH).await?;
        loop {
            let first = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                delivery = requests.next() => delivery.ok_or(Error::Ended(REQUESTS))?,
            };
            let table = Arc::clone(&self.table.borrow_and_update());
            self.dispatch(&table, first).await;
            for _ in 1..BATCH_MAX {
                let Some(delivery) = requests.try_next() else { break };
                self.dispatch(&table, delivery).await;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn dispatch(&self, table: &Table, delivery: Delivery) {
        let sorted = Sorted::of(table, &delivery.message.payload, Timestamp::now());
        for (queue, message) in sorted.forwards {
            self.forward(&queue, message).await;
        }
        for reply in sorted.replies {
            self.answer(reply).await;
        }
        for dead in sorted.dead {
            self.bury(dead).await;
        }
        delivery.ack();
    }

    async fn forward(&self, queue: &str, message: Message) {
        // Cloning shares the bytes: it keeps them at hand for the answers, should there be any.
        match self.broker.publish(queue, message.clone()).await {
            Ok(()) => {}
            Err(broker::Error::Unknown(_)) => {
                // It may run: neither a second try nor "not executed" would be true. Its deadline answers.
                warn!(queue, "outcome of a forward is unknown");
            }
            Err(refused) => {
                debug!(queue, error = %refused, "calls refused");
                self.refuse(&message, &refused).await;
            }
        }
    }

    /// Tells the callers that their calls were not executed; keeps what nobody waits for.
    async fn refuse(&self, message: &Message, refused: &broker::Error) {
        for line in wire::split_lines(&message.payload) {
            let Ok(head) = wire::decode_line::<InvokeHead<'_>>(&line) else { continue };
            let detail = "the queue of the Func takes no more calls, it was not executed";
            match Reply::to(&head, ProblemKind::Overloaded, detail.to_owned()) {
                Some(reply) => self.answer(reply).await,
                None => self.bury(Dead { line: line.clone(), reason: refused.to_string() }).await,
            }
        }
    }

    async fn answer(&self, reply: Reply) {
        let Reply { queue, activation, attempt, deadline, kind, detail, id } = reply;
        let problem = Problem::new(kind, detail, id, Component::Tron);
        let problem = match kind {
            ProblemKind::Overloaded => problem.with_header("retry-after", RETRY_AFTER_SECONDS),
            _ => problem,
        };
        let answer = match wire::encode_line(&Answer::problem(activation, attempt, problem)) {
            Ok(line) => Message::new(line).joinable(),
            Err(error) => return warn!(%activation, %error, "answer cannot be written"),
        };
        // The caller of an expired call is about to leave: the answer may come too late, and that is fine.
        let answer = if kind == ProblemKind::DeadlineExceeded { answer } else { answer.expires_at(deadline) };
        if let Err(error) = self.broker.publish(&queue, answer).await {
            debug!(%activation, queue, %error, "answer dropped");
        }
    }

    async fn bury(&self, dead: Dead) {
        warn!(reason = dead.reason, bytes = dead.line.len(), "message dead-lettered");
        let message = Message { dead_reason: Some(dead.reason), ..Message::new(dead.line) };
        if let Err(error) = self.broker.publish(DEAD_REQUESTS, message).await {
            warn!(%error, "dead letter lost");
        }
    }
}

#[cfg(test)]
mod tests;
