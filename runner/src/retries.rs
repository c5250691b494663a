//! `Retries`: a runner's share of the queue where calls are tried alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::broker::{
    self, Consumer, DEAD_REQUESTS, Delivery, GivenUp, REQUESTS, RETRIES, dead_letters_of, retries_queue,
};
use wire::{
    Answer, Backoff, Broker, Chain, Component, Invoke, Problem, ProblemKind, decode_line, split_lines,
};

use crate::handling::{Handling, Hands};
use crate::outbox::Caller;
use crate::redelivery::{CUT_OFF, Why};
use crate::serving::Serving;

/// One at a time: whatever is here may end its runner, and nobody else is to be blamed for that.
const PREFETCH: u16 = 1;

/// How long the broker holds a call back that is not for us: its Func may be on its way to or from the runners,
/// and round trips do not speed that up.
const NOT_SERVED_PAUSE: Duration = Duration::from_millis(500);

/// A runner's share of the queue where calls are tried alone.
pub(crate) struct Retries {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) hands: Arc<Hands>,
    pub(crate) serving: watch::Receiver<Arc<Serving>>,
}

impl Retries {
    /// Tries calls until `stop`, from when it is known what is served here.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let known = self.serving.wait_for(|serving| serving.complete);
        if !matches!(stop.run_until_cancelled(known).await, Some(Ok(_))) {
            return;
        }
        let mut backoff = Backoff::new();
        while !stop.is_cancelled() {
            match self.open().await {
                Ok(consumer) => {
                    backoff.reset();
                    self.consume(consumer, &stop).await;
                }
                Err(error) => warn!(error = %Chain(&error), "retries cannot be consumed"),
            }
            // Which of the two it was, the loop finds out.
            let _ = tokio::time::timeout(backoff.wait(), stop.cancelled()).await;
        }
    }

    async fn open(&self) -> Result<Consumer, broker::Error> {
        self.broker.declare(&retries_queue()).await?;
        self.broker.consume(RETRIES, PREFETCH).await
    }

    async fn consume(&self, mut consumer: Consumer, stop: &CancellationToken) {
        while let Some(Some(delivery)) = stop.run_until_cancelled(consumer.next()).await {
            self.deliver(delivery).await;
        }
        for delivery in consumer.stop().await {
            self.deliver(delivery).await;
        }
    }

    async fn deliver(&self, delivery: Delivery) {
        for line in split_lines(&delivery.message.payload) {
            match decode_line::<Invoke>(&line) {
                Ok(invoke) => self.handle(invoke, delivery.redelivered).await,
                Err(error) => {
                    let why = GivenUp::now(Chain(&error).to_string());
                    self.hands.outbox.bury(DEAD_REQUESTS, line, &why, delivery.message.persistent).await;
                }
            }
        }
        delivery.ack();
    }

    async fn handle(&self, invoke: Invoke, redelivered: bool) {
        let queue = invoke.queue.clone().unwrap_or_default();
        let deployed = self.serving.borrow().funcs.get(&queue).cloned();
        match deployed {
            Some(deployed) => {
                deployed.tally.arrive(1);
                Handling::isolated(self.hands.clone(), deployed).handle(invoke, redelivered).await;
            }
            None if redelivered => self.give_up(&queue, &invoke, Why::Exhausted.to_string()).await,
            None => self.send_back(&queue, invoke).await,
        }
    }

    /// Gives a call whose Func is not served here, or not any more, to whoever knows where it goes now: from its
    /// Func's queue, one that serves it begins it. It is not kept here meanwhile, where its turn is others' too.
    async fn send_back(&self, queue: &str, invoke: Invoke) {
        let invoke = Invoke { queue: None, ..invoke };
        if let Err(error) = self.hands.outbox.put_later(REQUESTS, &invoke, NOT_SERVED_PAUSE).await {
            warn!(request_id = %invoke.id, activation = %invoke.activation, namespace = %invoke.namespace, queue,
                %error, "call not put back");
            let detail = "the call was cut off and may have had its effects; nobody takes it any more";
            self.give_up(queue, &invoke, detail.to_owned()).await;
        }
    }

    async fn give_up(&self, queue: &str, invoke: &Invoke, detail: String) {
        let why = GivenUp::now(detail.clone()).after(invoke.attempt, CUT_OFF);
        self.hands.outbox.bury_call(&dead_letters_of(queue), invoke, &why).await;
        let problem = Problem::new(ProblemKind::OutcomeUnknown, detail, invoke.id.clone(), Component::Runner);
        let answer = Answer::problem(invoke.activation, invoke.attempt, problem);
        self.hands.outbox.answer(&Caller::of(invoke), &answer).await;
    }
}
