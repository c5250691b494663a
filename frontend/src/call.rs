//! `Calls`: hands invokes to the broker and waits for their answers.

use std::sync::Arc;
use std::time::Duration;

use dispatch::{Call, Table};
use tokio::sync::watch;
use tokio::time::timeout;
use wire::broker::{self, Broker, Message, REQUESTS};
use wire::replies::{InFlight, Place};
use wire::{ActivationId, Answer, Invoke, MessageError, ProblemKind, encode_line};

pub(crate) struct Calls {
    pub(crate) broker: Arc<dyn Broker>,
    /// The routes, if calls are dispatched here.
    pub(crate) table: Option<watch::Receiver<Arc<Table>>>,
    pub(crate) in_flight: InFlight,
    /// How long an answer is waited for, counted from the call.
    pub(crate) wait_max: Duration,
}

/// Why a call came to no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("too many calls are in flight; this one was not executed")]
    InFlight,
    #[error("the call was not accepted and not executed")]
    NotAccepted(#[source] broker::Error),
    #[error("the connection broke while the call was handed over: it may have been executed")]
    Unknown(#[source] broker::Error),
    #[error("no component answered by the deadline")]
    NoAnswer,
    #[error("the call cannot be written as a message")]
    Encode(#[from] MessageError),
}

impl Error {
    /// How a client is told.
    pub(crate) fn kind(&self) -> ProblemKind {
        match self {
            Self::InFlight | Self::NotAccepted(_) => ProblemKind::Overloaded,
            Self::Unknown(_) => ProblemKind::OutcomeUnknown,
            Self::NoAnswer => ProblemKind::DeadlineExceeded,
            Self::Encode(_) => ProblemKind::Internal,
        }
    }
}

impl Calls {
    /// A place among the calls in flight for one that is handed over.
    pub(crate) fn place(&self, activation: ActivationId) -> Result<Place, Error> {
        self.in_flight.enter(activation).ok_or(Error::InFlight)
    }

    /// Hands over a call that nobody waits for. `Ok` means that the broker has it for good.
    pub(crate) async fn hand_over(&self, invoke: &Invoke) -> Result<(), Error> {
        let message = Message::new(encode_line(invoke)?).persistent();
        match timeout(self.wait_max, self.broker.publish(REQUESTS, message)).await {
            Ok(published) => published.map_err(not_published),
            Err(_elapsed) => Err(Error::Unknown(broker::Error::Unknown(REQUESTS.to_owned()))),
        }
    }

    /// Makes a call. Dropping it forgets the answer; the call itself goes on.
    pub(crate) async fn call(&self, invoke: &Invoke) -> Result<Answer, Error> {
        let mut place = self.place(invoke.activation)?;
        let message = Message::new(encode_line(invoke)?).expires_at(invoke.deadline).joinable();
        let answer = async {
            self.publish(invoke, message).await.map_err(not_published)?;
            place.answer().await.ok_or(Error::NoAnswer)
        };
        timeout(self.wait_max, answer).await.unwrap_or(Err(Error::NoAnswer))
    }

    /// Straight to the Func's queue, if it is known here, is there and is served. Everything else is for Tron to sort
    /// out, whose routes may be newer than ours.
    async fn publish(&self, invoke: &Invoke, message: Message) -> Result<(), broker::Error> {
        if let Some(queue) = self.func_queue(invoke) {
            match self.broker.publish(&queue, message.clone()).await {
                Err(broker::Error::Unroutable(_)) => {}
                published => return published,
            }
        }
        self.broker.publish(REQUESTS, message).await
    }

    fn func_queue(&self, invoke: &Invoke) -> Option<Arc<str>> {
        let table = self.table.as_ref()?.borrow();
        table
            .queue(&Call::from(invoke))
            .ok()
            .filter(|queue| !table.unserved().contains_key(&***queue))
            .cloned()
    }
}

fn not_published(error: broker::Error) -> Error {
    match error {
        broker::Error::Unknown(_) => Error::Unknown(error),
        _ => Error::NotAccepted(error),
    }
}
