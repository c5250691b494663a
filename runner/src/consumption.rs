//! `Consumption`: one thread's share of one Func's queue.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::broker::{self, Consumer, Delivery, Message, func_queue};
use wire::{
    Answer, Broker, Chain, Component, Invoke, MemberId, MessageError, Problem, ProblemKind, Timestamp,
    decode_line, encode_line, split_lines,
};

use crate::deployed::Deployed;
use crate::execution::{ATTEMPTS_MAX, Execution};
use crate::records::Records;
use crate::slots::{Share, Slots};

/// How long to wait before consuming a queue again that went away.
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// What every consumption of a thread shares.
pub(crate) struct Hands {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) records: Records,
    pub(crate) member: MemberId,
    pub(crate) call_timeout: Duration,
    pub(crate) prefetch: u16,
    pub(crate) slots: Arc<Slots>,
}

/// One thread's share of one Func's queue. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Consumption {
    hands: Arc<Hands>,
    deployed: Arc<Deployed>,
    share: Arc<Share>,
}

impl Consumption {
    pub(crate) fn new(hands: Arc<Hands>, deployed: Arc<Deployed>) -> Self {
        let share = Share::new(hands.slots.clone());
        Self { hands, deployed, share }
    }

    /// Consumes until `stop`, then finishes what is running.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let Deployed { queue, route, .. } = &*self.deployed;
            // It may have gone away together with the broker's memory.
            let declared = self.hands.broker.declare(&func_queue(queue, route)).await;
            let consumer = match declared {
                Ok(()) => self.hands.broker.consume(queue, self.hands.prefetch).await,
                Err(error) => Err(error),
            };
            match consumer {
                Ok(consumer) => self.consume(consumer, &stop).await,
                Err(error) => warn!(%queue, %error, "queue cannot be consumed"),
            }
            // Which of the two it was, the loop finds out.
            let _ = tokio::time::timeout(RETRY_WAIT, stop.cancelled()).await;
        }
    }

    async fn consume(&self, mut consumer: Consumer, stop: &CancellationToken) {
        let mut running = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_) = running.join_next() => {}
                delivery = consumer.next() => match delivery {
                    Some(delivery) => _ = running.spawn(self.clone().deliver(delivery)),
                    None => break,
                },
            }
        }
        // The consumer goes last: with it, the broker would give what is running to somebody else.
        while running.join_next().await.is_some() {}
    }

    /// Answers every line of a delivery, then settles it.
    async fn deliver(self, delivery: Delivery) {
        if delivery.redelivered {
            return self.deliver_apart(delivery).await;
        }
        let lines: Vec<Bytes> = split_lines(&delivery.message.payload).collect();
        let (invokes, errors): (Vec<_>, Vec<_>) =
            lines.iter().map(|line| decode_line::<Invoke>(line)).partition(Result::is_ok);
        let answers = invokes.into_iter().flatten().map(|invoke| self.answer(invoke));
        join_all(answers).await;
        match errors.into_iter().find_map(Result::err) {
            None if lines.is_empty() => delivery.dead_letter(&MessageError::Empty.to_string()),
            None => delivery.ack(),
            Some(error) => {
                let reason = Chain(&error).to_string();
                warn!(queue = %self.deployed.queue, error = reason, "delivery cannot be read");
                delivery.dead_letter(&reason);
            }
        }
    }

    /// Puts the lines of a delivery that somebody did not finish back into the queue, each alone and
    /// counted: if one of them is what ended that somebody, the others are rid of it.
    async fn deliver_apart(self, delivery: Delivery) {
        let lines: Vec<Bytes> = split_lines(&delivery.message.payload).collect();
        let mut given_up = None;
        for line in lines {
            given_up = self.put_back(&line).await.err().or(given_up);
        }
        match given_up {
            None => delivery.ack(),
            Some(reason) => delivery.dead_letter(&reason),
        }
    }

    /// Puts one line back, or says why it is given up. Once only: to give back a delivery of which some
    /// lines are in the queue again would run those twice.
    async fn put_back(&self, line: &[u8]) -> Result<(), String> {
        let mut invoke = decode_line::<Invoke>(line).map_err(|error| Chain(&error).to_string())?;
        invoke.attempt += 1;
        if invoke.attempt > ATTEMPTS_MAX {
            self.answer(invoke).await;
            return Err("call was cut off too often".to_owned());
        }
        // An invoke is texts and numbers: it can always be written.
        let message = Message::new(encode_line(&invoke).unwrap_or_default()).expires_at(invoke.deadline);
        let Err(error) = self.hands.broker.publish(&self.deployed.queue, message).await else {
            return Ok(());
        };
        warn!(request_id = %invoke.id, queue = %self.deployed.queue, %error, "call not put back");
        // Of an unknown outcome there is nothing true to tell; the call's deadline answers.
        if !matches!(error, broker::Error::Unknown(_)) {
            self.refuse(&invoke).await;
        }
        Err(error.to_string())
    }

    /// Tells the caller of a call that was cut off and is not begun again.
    async fn refuse(&self, invoke: &Invoke) {
        let Some(reply_to) = &invoke.reply_to else { return };
        let detail = "the call was cut off and may have had its effects; its queue did not take it back";
        let problem = Problem::new(ProblemKind::OutcomeUnknown, detail, invoke.id.clone(), Component::Runner);
        let answer = Answer::problem(invoke.activation, invoke.attempt, problem);
        self.publish(reply_to, &answer, invoke.deadline).await;
    }

    /// Runs one invoke and publishes its answer.
    async fn answer(&self, invoke: Invoke) {
        let _slot = self.share.slot().await;
        let (reply_to, deadline) = (invoke.reply_to.clone(), invoke.deadline);
        let Hands { member, call_timeout, .. } = &*self.hands;
        let execution = Execution {
            deployed: self.deployed.clone(),
            invoke,
            member: member.clone(),
            call_timeout: *call_timeout,
        };
        let (answer, record) = execution.run().await;
        if let Some(reply_to) = reply_to {
            self.publish(&reply_to, &answer, deadline).await;
        }
        self.hands.records.keep(record).await;
    }

    async fn publish(&self, reply_to: &str, answer: &Answer, deadline: Timestamp) {
        // An answer is texts and numbers: it can always be written.
        let line = encode_line(answer).unwrap_or_default();
        // Nobody waits for it any longer once the deadline is a second past.
        let message = Message::new(line).expires_at(deadline.after(Duration::from_secs(1))).joinable();
        if let Err(error) = self.hands.broker.publish(reply_to, message).await {
            warn!(request_id = %answer.id, queue = %reply_to, %error, "answer dropped");
        }
    }
}
