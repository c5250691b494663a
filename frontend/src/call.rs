//! `Calls`: hands invokes to the broker and waits for their answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use wire::broker::{self, Broker, Message, REQUESTS};
use wire::{Answer, Invoke, MessageError, ProblemKind, encode_line};

use crate::in_flight::InFlight;

pub(crate) struct Calls {
    pub(crate) broker: Arc<dyn Broker>,
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
    /// Makes a call. Dropping it forgets the answer; the call itself goes on.
    pub(crate) async fn call(&self, invoke: &Invoke) -> Result<Answer, Error> {
        let mut place = self.in_flight.enter(invoke.activation).ok_or(Error::InFlight)?;
        let message = Message::new(encode_line(invoke)?).expires_at(invoke.deadline).joinable();
        let answer = async {
            self.broker.publish(REQUESTS, message).await.map_err(not_published)?;
            place.answer().await.ok_or(Error::NoAnswer)
        };
        timeout(self.wait_max, answer).await.unwrap_or(Err(Error::NoAnswer))
    }
}

fn not_published(error: broker::Error) -> Error {
    match error {
        broker::Error::Unknown(_) => Error::Unknown(error),
        _ => Error::NotAccepted(error),
    }
}
