//! `Moving`: performs what was decided about one message, and settles it when all of that is confirmed.

use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use wire::broker::{self, DEAD_REQUESTS, Delivery, GivenUp, Message, REQUESTS};
use wire::{Answer, Broker, Component, InvokeHead, Problem, ProblemKind};

use super::sorted::{Dead, Forward, Reply, Sorted};
use super::{Counts, doubt};

/// How long a caller should wait when the queue of its Func is full.
const RETRY_AFTER_SECONDS: &str = "1";

/// How long what was refused and must not be lost is held back before it is tried again: without this pause
/// the broker and we would be busy with nothing else.
const TRY_AGAIN_PAUSE: Duration = Duration::from_secs(1);

/// What it takes to move a message.
#[derive(Clone, Copy)]
pub(super) struct Moving<'d> {
    pub(super) broker: &'d dyn Broker,
    pub(super) counts: &'d Counts,
    pub(super) shutdown: &'d CancellationToken,
}

/// Something was not accepted that must not be lost.
struct Refused;

impl Moving<'_> {
    /// Moves the message, then settles it.
    pub(super) async fn settle(self, sorted: Sorted, delivery: Delivery) {
        match self.perform(sorted).await {
            Ok(()) => delivery.ack(),
            Err(Refused) => {
                // Either way it is given back.
                let _ = tokio::time::timeout(TRY_AGAIN_PAUSE, self.shutdown.cancelled()).await;
                delivery.retry();
            }
        }
    }

    async fn perform(self, sorted: Sorted) -> Result<(), Refused> {
        // First, since it can refuse the whole: nothing else has had an effect by then.
        for dead in sorted.dead {
            self.bury(dead).await?;
        }
        let forwards = sorted.forwards.iter().map(|forward| self.forward(forward));
        let replies = sorted.replies.into_iter().map(|reply| self.answer(reply));
        let (forwarded, answered) = tokio::join!(join_all(forwards), join_all(replies));
        forwarded.into_iter().chain(answered).collect()
    }

    async fn forward(self, forward: &Forward) -> Result<(), Refused> {
        let Forward { queue, message, calls } = forward;
        // Cloning shares the bytes: it keeps them at hand for the answers, should there be any.
        let Err(error) = self.broker.publish(queue, message.clone()).await else {
            self.counts.dispatch(*calls);
            return Ok(());
        };
        let queue = &**queue;
        debug!(queue, %error, "calls refused");
        if message.persistent {
            return self.hold_back(message, &error).await;
        }
        join_all(wire::split_lines(&message.payload).map(|line| self.refuse(line, &error))).await;
        Ok(())
    }

    /// Leaves it to the broker to hold a call back, so that it is in nobody's way here.
    async fn hold_back(self, message: &Message, error: &broker::Error) -> Result<(), Refused> {
        let mut later = message.clone().delayed(TRY_AGAIN_PAUSE);
        if matches!(error, broker::Error::Unknown(_)) {
            // It travels alone.
            later.payload = doubt::cast(&message.payload);
        }
        self.broker.publish(REQUESTS, later).await.map_err(|error| {
            warn!(%error, "promised call not held back, trying again");
            Refused
        })
    }

    /// Tells the caller that the call was not executed, or may have been; keeps what nobody waits for.
    async fn refuse(self, line: bytes::Bytes, error: &broker::Error) {
        let Ok(head) = wire::decode_line::<InvokeHead<'_>>(&line) else { return };
        let (kind, detail) = match error {
            broker::Error::Unknown(_) => (
                ProblemKind::OutcomeUnknown,
                "the broker was lost while it took the call, which may be executed",
            ),
            _ => (ProblemKind::Overloaded, "the queue of the Func takes no more calls, it was not executed"),
        };
        // Nobody was promised anything about it, so that what comes of this is the end of it.
        let _ = match Reply::to(&head, kind, detail.to_owned()) {
            Some(reply) => self.answer(reply).await,
            None => {
                let reason = error.to_string();
                self.bury(Dead { line: line.clone(), reason, promised: false }).await
            }
        };
    }

    async fn answer(self, reply: Reply) -> Result<(), Refused> {
        self.counts.refuse(reply.kind);
        let Reply { activation, asynchronous, .. } = reply;
        let (request_id, queue) = (reply.id.clone(), reply.queue.clone());
        let answer = match reply.into_message() {
            Ok(answer) => answer,
            Err(error) => {
                warn!(%request_id, %activation, %error, "answer cannot be written");
                return Ok(());
            }
        };
        match self.broker.publish(&queue, answer).await {
            Ok(()) => Ok(()),
            Err(error) if asynchronous => {
                warn!(%request_id, %activation, queue, %error, "result not taken, trying again");
                Err(Refused)
            }
            Err(error) => {
                debug!(%request_id, %activation, queue, %error, "answer dropped");
                Ok(())
            }
        }
    }

    async fn bury(self, dead: Dead) -> Result<(), Refused> {
        warn!(reason = dead.reason, bytes = dead.line.len(), "message dead-lettered");
        self.counts.bury();
        let message = Message::dead(dead.line, &GivenUp::now(dead.reason));
        match self.broker.publish(DEAD_REQUESTS, message).await {
            Ok(()) => Ok(()),
            // Who fills it with garbage must not be able to keep it coming back.
            Err(error @ broker::Error::Full(_)) if !dead.promised => {
                warn!(%error, "dead letter lost");
                Ok(())
            }
            Err(error) => {
                warn!(%error, "dead letter not taken, trying again");
                Err(Refused)
            }
        }
    }
}

impl Reply {
    fn into_message(self) -> Result<Message, wire::MessageError> {
        let problem = Problem::new(self.kind, self.detail, self.id, Component::Tron);
        let problem = match self.kind {
            ProblemKind::Overloaded => problem.with_header("retry-after", RETRY_AFTER_SECONDS),
            _ => problem,
        };
        let line = wire::encode_line(&Answer::problem(self.activation, self.attempt, problem))?;
        Ok(match self.kind {
            _ if self.asynchronous => Message::new(line).persistent(),
            // The caller of an expired call is about to leave: this may come too late, and that is fine.
            ProblemKind::DeadlineExceeded => Message::new(line).joinable(),
            _ => Message::new(line).joinable().expires_at(self.deadline),
        })
    }
}
