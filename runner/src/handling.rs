//! `Handling`: what a runner does with each line of a delivery for one Func.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use telemetry::Tracer;
use tokio::time::timeout;
use tracing::{info, warn};
use wire::broker::{Delivery, GivenUp, RETRIES, dead_letters};
use wire::{Chain, Invoke, MemberId, MessageError, Mirror, ProblemKind, bounded_lines, decode_line};

use crate::cancels::Cancels;
use crate::capture::Captures;
use crate::deployed::Deployed;
use crate::execution::{Ended, Execution};
use crate::mirroring::{self, Mirroring};
use crate::observations::{Observations, View};
use crate::outbox::{Caller, Outbox};
use crate::records::Records;
use crate::redelivery::{self, CUT_OFF, Outcome, Why};
use crate::slots::{Share, Slots};
use crate::trace::Trace;
use crate::verdict::{self, Run, Verdict};

/// What every Func of a thread shares.
pub(crate) struct Hands {
    pub(crate) outbox: Outbox,
    pub(crate) records: Records,
    pub(crate) captures: Captures,
    pub(crate) mirroring: Mirroring,
    pub(crate) cancels: Cancels,
    pub(crate) observations: Observations,
    pub(crate) member: MemberId,
    pub(crate) tracer: Tracer,
    pub(crate) call_timeout: Duration,
    pub(crate) attempts_max: u32,
    pub(crate) slots: Arc<Slots>,
}

/// What a thread does with the calls of one Func. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Handling {
    hands: Arc<Hands>,
    deployed: Arc<Deployed>,
    share: Arc<Share>,
    /// Whether its calls come from where each is tried alone.
    isolated: bool,
}

impl Handling {
    /// Of what comes from the Func's own queue.
    pub(crate) fn new(hands: Arc<Hands>, deployed: Arc<Deployed>) -> Self {
        let share = Share::new(hands.slots.clone());
        Self { hands, deployed, share, isolated: false }
    }

    /// Of what comes from where calls are tried alone.
    pub(crate) fn isolated(hands: Arc<Hands>, deployed: Arc<Deployed>) -> Self {
        Self { isolated: true, ..Self::new(hands, deployed) }
    }

    /// Does with every line what is right for it, then settles the delivery. The lines are each other's
    /// neighbours by chance: what becomes of one is nothing to the others.
    pub(crate) async fn deliver(self, delivery: Delivery) {
        match bounded_lines(&delivery.message.payload) {
            Ok(lines) => self.handle_all(&lines, &delivery).await,
            Err(error) => self.bury_unread(&delivery, &error, &delivery.message.payload).await,
        }
        delivery.ack();
    }

    async fn handle_all(&self, lines: &[Bytes], delivery: &Delivery) {
        self.deployed.tally.arrive(lines.len());
        // Boxed, and before anything else holds them: they are large, and moved about.
        join_all(lines.iter().map(|line| self.hands.outbox.timely(Box::pin(self.line(line, delivery)))))
            .await;
    }

    async fn line(&self, line: &Bytes, delivery: &Delivery) {
        match decode_line::<Invoke>(line) {
            Ok(invoke) => self.handle(invoke, delivery.redelivered).await,
            Err(error) => self.bury_unread(delivery, &error, line).await,
        }
    }

    /// Keeps what nobody can read for an operator.
    async fn bury_unread(&self, delivery: &Delivery, error: &MessageError, line: &Bytes) {
        let why = GivenUp::now(Chain(error).to_string());
        let queue = dead_letters(&self.deployed.route);
        self.hands.outbox.bury(&queue, line.clone(), &why, delivery.message.persistent).await;
    }

    /// Does with one call what is right for it.
    pub(crate) async fn handle(&self, mut invoke: Invoke, redelivered: bool) {
        // Whatever was promised, it was promised of the call that it is a replay of.
        invoke.asynchronous &= invoke.replay.is_none();
        let execution = self.execution(invoke);
        let Invoke { attempt, asynchronous, .. } = execution.invoke;
        let attempts_max = self.hands.attempts_max;
        let call =
            redelivery::Call { attempt, attempts_max, redelivered, isolated: self.isolated, asynchronous };
        match redelivery::decide(call, || execution.repeatable()) {
            Outcome::Run => self.run(execution).await,
            Outcome::PutBack { attempt } => self.put_back(execution, attempt).await,
            Outcome::Isolate { attempt } => self.isolate(execution, attempt).await,
            Outcome::Refuse => self.refuse(execution, Why::Unrepeatable.to_string()).await,
            Outcome::GiveUp(why) if execution.is_copy() => self.condemn(execution, why).await,
            Outcome::GiveUp(why) => self.give_up(execution, why.to_string()).await,
        }
    }

    fn execution(&self, invoke: Invoke) -> Execution {
        let Hands { member, call_timeout, tracer, .. } = &*self.hands;
        Execution {
            trace: Trace::of(tracer, &invoke, &self.deployed.queue),
            deployed: self.deployed.clone(),
            invoke,
            member: member.clone(),
            call_timeout: *call_timeout,
            view: View::default(),
            recorded: false,
        }
    }

    async fn run(&self, execution: Execution) {
        if execution.invoke.asynchronous {
            // Boxed: what it keeps for later would otherwise be in the task of every call.
            return Box::pin(self.run_promised(execution)).await;
        }
        if execution.invoke.replay.is_none() {
            let mirrors = self.deployed.mirrors_of(execution.invoke.activation);
            if !mirrors.is_empty() {
                return Box::pin(self.run_mirrored(execution, &mirrors)).await;
            }
        }
        let caller = Caller::of(&execution.invoke);
        let ended = self.attempt(execution).await;
        self.end(caller, ended).await;
    }

    /// Runs a call of which bundles on trial get a copy, when it has been answered.
    async fn run_mirrored(&self, mut execution: Execution, mirrors: &[Mirror]) {
        execution.recorded = true;
        let (call, timeout) = (execution.invoke.clone(), execution.call_timeout);
        let ended = self.attempt(execution).await;
        self.hands.outbox.answer(&Caller::of(&call), &ended.answer).await;
        self.hands.mirroring.copy(mirrors, &call, &ended, timeout);
        self.keep(ended).await;
    }

    /// Runs a call that nobody waits for: until it is cancelled, and again if its operation wants that.
    async fn run_promised(&self, execution: Execution) {
        let again = execution.clone();
        let ended = tokio::select! {
            biased;
            () = self.hands.cancels.of(again.invoke.activation) => {
                let mut cancelled = again.clone();
                self.observe(&mut cancelled);
                cancelled.cancel()
            }
            ended = self.attempt(execution) => ended,
        };
        let run = Run {
            status: ended.answer.status,
            retry: again.invoke.retry,
            retries: again.retries(),
            remaining: again.remaining(),
        };
        match verdict::decide(run) {
            Verdict::End => self.end(Caller::of(&again.invoke), ended).await,
            Verdict::Again { wait } => self.begin_anew(again.invoke, wait, ended).await,
            Verdict::GiveUp(why) => self.keep_failed(&again.invoke, why, ended).await,
        }
    }

    /// Runs a call as soon as there is room for it, and says so at its deadline when there was none.
    async fn attempt(&self, mut execution: Execution) -> Ended {
        let tally = &self.deployed.tally;
        let mut counted = tally.wait();
        let expected = execution.invoke.replay.as_mut().and_then(|replay| replay.expected.take());
        let room = timeout(execution.remaining(), self.share.slot()).await;
        self.observe(&mut execution);
        match room {
            Ok(_slot) => {
                counted.begin();
                let is_late = execution.remaining() < self.hands.call_timeout / 2;
                let mut ended = execution.run().await;
                counted.end(&ended.record);
                if let Some(expected) = expected {
                    mirroring::compare(&self.deployed, &expected, &mut ended, is_late);
                }
                ended
            }
            Err(_) => {
                self.fail(&execution);
                execution.expire()
            }
        }
    }

    /// Looks at what operators want to see of a call: as late as that makes no difference.
    fn observe(&self, execution: &mut Execution) {
        execution.view = self.hands.observations.of(&self.deployed.route, &execution.invoke);
        execution.recorded |= execution.view.is_recorded();
    }

    /// Has a call begun anew that failed; whichever bundle the route has by then takes it.
    async fn begin_anew(&self, invoke: Invoke, wait: Duration, ended: Ended) {
        let retry = invoke.retry.saturating_add(1);
        let invoke = Invoke { retry, attempt: 1, queue: None, ..invoke };
        info!(request_id = %invoke.id, activation = %invoke.activation, namespace = %invoke.namespace,
            route = %self.deployed.route, bundle = self.deployed.sha.short(), operation = ended.record.operation,
            retry, ?wait, "call failed, to be begun anew");
        self.hands.outbox.hold_back(&invoke, wait).await;
        self.keep(ended).await;
    }

    /// Keeps a call that failed for an operator. What it came to last is its result.
    async fn keep_failed(&self, invoke: &Invoke, why: verdict::Why, ended: Ended) {
        let last_error = ended.record.error.clone();
        let last_error = last_error.unwrap_or_else(|| format!("status {}", ended.answer.status));
        let why = GivenUp::now(why.to_string()).after(invoke.retry.saturating_add(1), last_error);
        self.hands.outbox.bury_call(&dead_letters(&self.deployed.route), invoke, &why).await;
        self.end(Caller::of(invoke), ended).await;
    }

    /// Puts a call back into its Func's queue. It is counted before it is begun, whoever that ends.
    async fn put_back(&self, execution: Execution, attempt: u32) {
        let again = Invoke { attempt, ..execution.invoke.clone() };
        self.hand_over(execution, &self.deployed.queue, again).await;
    }

    /// Puts a call where it is tried alone.
    async fn isolate(&self, execution: Execution, attempt: u32) {
        let queue = Some(self.deployed.queue.clone());
        let again = Invoke { attempt, queue, ..execution.invoke.clone() };
        self.hand_over(execution, RETRIES, again).await;
    }

    async fn hand_over(&self, execution: Execution, queue: &str, again: Invoke) {
        let Err(error) = self.hands.outbox.put(queue, &again).await else { return };
        warn!(request_id = %again.id, activation = %again.activation, namespace = %again.namespace,
            route = %self.deployed.route, bundle = self.deployed.sha.short(), queue, %error, "call not put back");
        let detail =
            format!("the call was cut off and may have had its effects; {queue} did not take it back");
        self.give_up(execution, detail).await;
    }

    /// Counts a call that failed and was not begun.
    fn fail(&self, execution: &Execution) {
        if execution.invoke.replay.is_none() {
            self.deployed.tally.fail();
        }
    }

    /// Tells the caller of a call that was cut off that it is not begun again.
    async fn refuse(&self, mut execution: Execution, detail: String) {
        self.fail(&execution);
        self.observe(&mut execution);
        let caller = Caller::of(&execution.invoke);
        self.end(caller, execution.refuse(ProblemKind::OutcomeUnknown, detail)).await;
    }

    /// Keeps a call that was cut off for an operator, and tells its caller.
    async fn give_up(&self, execution: Execution, detail: String) {
        // Nobody would begin a replay again from there.
        if execution.invoke.replay.is_none() {
            let why = GivenUp::now(detail.clone()).after(execution.invoke.attempt, CUT_OFF);
            self.hands.outbox.bury_call(&dead_letters(&self.deployed.route), &execution.invoke, &why).await;
        }
        self.refuse(execution, detail).await;
    }

    /// Ends a copy that was cut off each time.
    async fn condemn(&self, execution: Execution, why: Why) {
        let mut ended = execution.refuse(ProblemKind::OutcomeUnknown, why.to_string());
        mirroring::condemn(&self.deployed, &mut ended);
        self.keep(ended).await;
    }

    /// Publishes the answer, then keeps what there is to keep.
    async fn end(&self, caller: Caller, ended: Ended) {
        self.hands.outbox.answer(&caller, &ended.answer).await;
        self.keep(ended).await;
    }

    /// Leaves the record, and the call itself if it is to be kept.
    async fn keep(&self, ended: Ended) {
        let Ended { answer, record, drawn, wanted, .. } = ended;
        if let Some(wanted) = wanted {
            self.hands.captures.keep(self.deployed.clone(), *wanted, answer, record.clone(), drawn);
        }
        self.hands.records.keep(record).await;
    }
}
