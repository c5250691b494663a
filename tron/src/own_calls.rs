//! `OwnCalls`: calls that Tron makes itself for an operator, and the private queue that their answers come by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::broker::{self, Message};
use wire::replies::{self, InFlight, Replies};
use wire::{Answer, Backoff, Broker, Chain, Invoke, MemberId, MessageError, encode_line};

/// As many as one operator has under way; who waits for more is a load test, for which there are frontends.
const IN_FLIGHT_MAX: usize = 64;
/// Those of them that may be long: such a call is in memory several times, as it came, as JSON and as bytes.
const LONG_MAX: usize = 2;
/// How much longer than until the deadline an answer is waited for, so that the 504 of whoever holds the call, which
/// says where its time went, gets through.
const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// Calls that Tron makes itself.
pub(crate) struct OwnCalls {
    broker: Arc<dyn Broker>,
    reply_to: String,
    in_flight: InFlight,
    places: Arc<Semaphore>,
    long_places: Arc<Semaphore>,
    /// Whether answers have somewhere to go.
    is_open: AtomicBool,
}

/// Room for a call of an operator, from before its request is read until its answer is written.
#[derive(Debug)]
pub struct Place {
    _any: OwnedSemaphorePermit,
    long: Option<OwnedSemaphorePermit>,
    long_places: Arc<Semaphore>,
}

impl Place {
    /// Waits for room for a request or an answer that is long.
    pub(crate) async fn lengthen(&mut self) {
        if self.long.is_none() {
            // There is always some again: nobody closes it, and who has it waits for no more.
            self.long = Arc::clone(&self.long_places).acquire_owned().await.ok();
        }
    }
}

/// Why a call of our own came to no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("too many calls of operators are in flight; this one was not executed")]
    Busy,
    #[error("the call was not accepted, or nobody knows")]
    Broker(#[from] broker::Error),
    #[error("nobody answered by the deadline")]
    Late,
    #[error("the call cannot be written as a message")]
    Encode(#[from] MessageError),
}

impl OwnCalls {
    pub(crate) fn new(broker: Arc<dyn Broker>, member: &MemberId) -> Self {
        Self {
            broker,
            reply_to: replies::queue_name(member),
            in_flight: InFlight::new(IN_FLIGHT_MAX),
            places: Arc::new(Semaphore::new(IN_FLIGHT_MAX)),
            long_places: Arc::new(Semaphore::new(LONG_MAX)),
            is_open: AtomicBool::new(false),
        }
    }

    /// Takes answers until `stop`. One that comes late is dropped.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut backoff = Backoff::new();
        let opened = async {
            loop {
                let (broker, reply_to) = (Arc::clone(&self.broker), self.reply_to.clone());
                match Replies::open(broker, reply_to, self.in_flight.clone()).await {
                    Ok(replies) => return replies,
                    Err(error) => warn!(queue = %self.reply_to, error = %Chain(&error), "no reply queue"),
                }
                tokio::time::sleep(backoff.wait()).await;
            }
        };
        if let Some(replies) = stop.run_until_cancelled(opened).await {
            self.is_open.store(true, Ordering::Relaxed);
            stop.run_until_cancelled(replies.run()).await;
        }
    }

    /// Room for a call. Never waits.
    pub(crate) fn place(&self) -> Result<Place, NoAnswer> {
        let any = Arc::clone(&self.places).try_acquire_owned().map_err(|_none| NoAnswer::Busy)?;
        Ok(Place { _any: any, long: None, long_places: Arc::clone(&self.long_places) })
    }

    /// Makes a call of the Func that this queue is of.
    pub(crate) async fn call(&self, queue: &str, mut invoke: Invoke) -> Result<Answer, NoAnswer> {
        if !self.is_open.load(Ordering::Relaxed) {
            return Err(broker::Error::Unavailable.into());
        }
        let mut place = self.in_flight.enter(invoke.activation).ok_or(NoAnswer::Busy)?;
        invoke.reply_to = Some(self.reply_to.clone());
        let message = Message::new(encode_line(&invoke)?).expires_at(invoke.deadline).joinable();
        let answer = async {
            self.broker.publish(queue, message).await?;
            place.answer().await.ok_or(NoAnswer::Late)
        };
        let wait_max = invoke.deadline.remaining(wire::Timestamp::now()) + ANSWER_GRACE;
        timeout(wait_max, answer).await.unwrap_or(Err(NoAnswer::Late))
    }
}

#[cfg(test)]
mod tests {
    use wire::broker::{Embedded, func_queue};
    use wire::{
        ActivationId, Component, Namespace, Problem, ProblemKind, RequestId, Role, RouteId, Timestamp,
    };

    use super::*;
    use crate::dispatcher::tests::invoke;

    const QUEUE: &str = "func.0000000000000000.00000000";

    /// Calls that are made of nobody, over a broker, once answers have somewhere to go.
    async fn opened() -> (Arc<Embedded>, Arc<OwnCalls>, CancellationToken) {
        let broker = Arc::new(Embedded::new());
        broker.declare(&func_queue(QUEUE, &RouteId::of(&Namespace::default(), "*", "/"))).await.unwrap();
        let own_calls = Arc::new(OwnCalls::new(broker.clone(), &MemberId::generate(Role::Tron)));
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&own_calls).run(stop.clone()));
        while !own_calls.is_open.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        (broker, own_calls, stop)
    }

    fn call() -> Invoke {
        let now = Timestamp::now();
        Invoke {
            activation: ActivationId::generate(),
            deadline: now.after(Duration::from_secs(30)),
            ..invoke("/a")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_shortly_after_its_deadline_and_what_comes_later_is_dropped() {
        let (broker, own_calls, _stop) = opened().await;
        let call = call();
        let started = tokio::time::Instant::now();
        assert!(matches!(own_calls.call(QUEUE, call.clone()).await, Err(NoAnswer::Late)));
        let took = started.elapsed();
        assert!(took > Duration::from_secs(29) && took <= Duration::from_secs(32), "{took:?}");
        assert!(own_calls.in_flight.is_empty());
        let late = Problem::new(ProblemKind::NotFound, "", RequestId::generate(), Component::Runner);
        let late = encode_line(&Answer::problem(call.activation, 1, late)).unwrap();
        broker.publish(&own_calls.reply_to, Message::new(late)).await.unwrap();
        assert!(own_calls.in_flight.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_operator_has_no_more_calls_under_way_than_there_is_room_for() {
        let (_broker, own_calls, _stop) = opened().await;
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..IN_FLIGHT_MAX {
            let own_calls = Arc::clone(&own_calls);
            waiting.spawn(async move { own_calls.call(QUEUE, call()).await });
        }
        while own_calls.in_flight.len() < IN_FLIGHT_MAX {
            tokio::task::yield_now().await;
        }
        assert!(matches!(own_calls.call(QUEUE, call()).await, Err(NoAnswer::Busy)));
    }

    #[tokio::test]
    async fn nothing_is_called_before_its_answer_has_somewhere_to_go() {
        let own_calls = OwnCalls::new(Arc::new(Embedded::new()), &MemberId::generate(Role::Tron));
        let refused = own_calls.call(QUEUE, call()).await;
        assert!(matches!(refused, Err(NoAnswer::Broker(broker::Error::Unavailable))));
    }
}
