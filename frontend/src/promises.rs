//! `Promises`: calls whose callers do not wait (`Prefer: respond-async`). Each is a record in the store
//! before it is a message, so that any frontend can tell of it.

mod callback;
mod inquiry;
mod preference;

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue};
use tracing::warn;
use wire::broker::RESULTS;
use wire::calls::{Accepted, CallStatus, Finished, State, location};
use wire::egress::AllowList;
use wire::http::{Response, full};
use wire::{ActivationId, Answer, Chain, Invoke, Namespace, ProblemKind, Store, Timestamp, store};

use crate::call::{self, Calls};

pub(crate) use inquiry::Inquiry;
use inquiry::{About, Bad};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// How long to wait before asking again: most calls are done by then.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("1");

/// Accepts calls that nobody waits for, and tells of them.
pub(crate) struct Promises {
    pub(crate) store: Store,
    pub(crate) namespace: Namespace,
    pub(crate) callbacks: AllowList,
    /// How long a call may take, and how much longer its result is kept.
    pub(crate) ttl: Duration,
}

/// That the caller of a request does not wait.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Promise {
    callback: Option<String>,
}

/// What there is to tell.
pub(crate) enum Told {
    /// How far the call is.
    Status(Response),
    /// The answer to it, for whoever asked.
    Result(Box<Answer>),
}

/// Why there is nothing to tell, or nothing was accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Callback(#[from] callback::Refusal),
    #[error(transparent)]
    Inquiry(#[from] Bad),
    #[error("nothing is known of this call, or nothing any more")]
    Unknown,
    #[error("the call has not ended yet")]
    Pending,
    #[error("the call has ended already")]
    Ended,
    #[error("the call was cancelled")]
    Cancelled,
    #[error("the call did not end by its deadline")]
    Overdue,
    #[error("the records of calls cannot be reached")]
    Store(#[from] store::Error),
    #[error(transparent)]
    Call(#[from] call::Error),
    #[error("the call was refused, and cannot be forgotten now: it may be executed later")]
    NotForgotten(#[source] store::Error),
    #[error("the response cannot be written")]
    Response(#[from] http::Error),
}

impl Error {
    /// How a client is told.
    pub(crate) fn kind(&self) -> ProblemKind {
        match self {
            Self::Callback(_) => ProblemKind::InvalidRequest,
            Self::Inquiry(bad) => bad.kind(),
            Self::Unknown => ProblemKind::NotFound,
            Self::Pending | Self::Ended => ProblemKind::Conflict,
            Self::Cancelled => ProblemKind::Cancelled,
            Self::Overdue => ProblemKind::DeadlineExceeded,
            Self::Store(_) => ProblemKind::Overloaded,
            Self::Call(error) => error.kind(),
            Self::NotForgotten(_) => ProblemKind::OutcomeUnknown,
            Self::Response(_) => ProblemKind::Internal,
        }
    }

    /// The methods that would have been right, where it was the method.
    pub(crate) fn allow(&self) -> Option<&'static str> {
        match self {
            Self::Inquiry(bad) => bad.allow(),
            _ => None,
        }
    }

    /// Whether asking again soon may help.
    pub(crate) fn is_early(&self) -> bool {
        matches!(self, Self::Pending)
    }
}

impl Promises {
    /// Whether the caller of a request with these headers does not wait.
    pub(crate) fn asked(&self, headers: &[(String, String)]) -> Result<Option<Promise>, Error> {
        if !preference::responds_async(headers) {
            return Ok(None);
        }
        Ok(Some(Promise { callback: callback::read(headers, &self.callbacks)? }))
    }

    /// Accepts a call: what is told of it, and the call itself should it get lost, are in the store before the
    /// call is on its queue for good, and all of that is so before this returns.
    pub(crate) async fn accept(
        &self,
        calls: &Calls,
        invoke: Invoke,
        promise: Promise,
    ) -> Result<Response, Error> {
        let deadline = invoke.at.after(self.ttl);
        let invoke = Invoke {
            activation: ActivationId::unguessable(),
            reply_to: Some(RESULTS.to_owned()),
            asynchronous: true,
            deadline,
            ..invoke
        };
        let accepted = Accepted {
            activation: invoke.activation,
            request_id: invoke.id.clone(),
            namespace: invoke.namespace.clone(),
            at: invoke.at,
            deadline,
            expires_at: deadline.after(self.ttl),
            callback: promise.callback,
        };
        let _place = calls.place(invoke.activation)?;
        self.note(&accepted, &invoke).await?;
        if let Err(error) = calls.hand_over(&invoke).await {
            return Err(self.take_back(invoke.activation, error).await);
        }
        let mut response = self::status(202, &CallStatus::of(&accepted, None, accepted.at))?;
        let location = HeaderValue::try_from(location(&invoke.activation)).map_err(http::Error::from)?;
        response.headers_mut().insert(LOCATION, location);
        response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static("respond-async"));
        Ok(response)
    }

    /// Writes down that a call is accepted, and the call.
    async fn note(&self, accepted: &Accepted, invoke: &Invoke) -> Result<(), Error> {
        let (known, kept) = tokio::join!(self.store.accept_call(accepted), self.store.keep_pending(invoke));
        let Err(error) = known.and(kept) else { return Ok(()) };
        if let Err(error) = self.store.forget_call(accepted.activation).await {
            warn!(request_id = %accepted.request_id, activation = %accepted.activation,
                namespace = %accepted.namespace, error = %Chain(&error), "refused call not forgotten");
        }
        Err(error.into())
    }

    /// Forgets a call that was certainly not handed over. What its caller is told.
    async fn take_back(&self, activation: ActivationId, error: call::Error) -> Error {
        if matches!(error, call::Error::Unknown(_)) {
            return error.into();
        }
        match self.store.forget_call(activation).await {
            Ok(()) => error.into(),
            Err(kept) => Error::NotForgotten(kept),
        }
    }

    /// Answers an inquiry.
    pub(crate) async fn tell(&self, inquiry: Inquiry) -> Result<Told, Error> {
        let Inquiry { activation, about } = inquiry;
        let (accepted, finished) =
            tokio::try_join!(self.store.accepted_call(activation), self.store.finished_call(activation))?;
        let accepted = accepted.filter(|accepted| accepted.namespace == self.namespace);
        let accepted = accepted.ok_or(Error::Unknown)?;
        match about {
            About::Status => Ok(Told::Status(self.status(&accepted, finished.as_ref()).await?)),
            About::Cancel => Ok(Told::Status(self.cancel(&accepted, finished).await?)),
            About::Result => match finished {
                None if accepted.is_overdue(Timestamp::now()) => Err(Error::Overdue),
                None => Err(Error::Pending),
                Some(finished) if finished.state() == State::Cancelled => Err(Error::Cancelled),
                Some(finished) => Ok(Told::Result(Box::new(finished.answer))),
            },
        }
    }

    async fn status(&self, accepted: &Accepted, finished: Option<&Finished>) -> Result<Response, Error> {
        let mut told = CallStatus::of(accepted, finished, Timestamp::now());
        match finished {
            None => told.cancelling = self.store.is_cancelling_call(accepted.activation).await?,
            Some(_) if accepted.callback.is_some() => {
                told.callback = self.store.callback(accepted.activation).await?;
            }
            Some(_) => {}
        }
        Ok(self::status(200, &told)?)
    }

    /// Notes that a call is to be cancelled. Tron tells the runners.
    async fn cancel(&self, accepted: &Accepted, finished: Option<Finished>) -> Result<Response, Error> {
        let activation = accepted.activation;
        if let Some(finished) = finished {
            return ended(accepted, &finished);
        }
        if accepted.is_overdue(Timestamp::now()) {
            return Err(Error::Ended);
        }
        self.store.cancel_call(activation).await?;
        // It may have ended since we looked, and whoever wrote that may have missed our note.
        if let Some(finished) = self.store.finished_call(activation).await? {
            self.store.settle_cancel(activation).await?;
            return ended(accepted, &finished);
        }
        let told = CallStatus { cancelling: true, ..CallStatus::of(accepted, None, Timestamp::now()) };
        Ok(self::status(202, &told)?)
    }
}

/// What is told to whoever wants to cancel a call that has ended.
fn ended(accepted: &Accepted, finished: &Finished) -> Result<Response, Error> {
    match finished.state() {
        State::Cancelled => Ok(status(200, &CallStatus::of(accepted, Some(finished), finished.at))?),
        _ => Err(Error::Ended),
    }
}

/// A response with what is told of a call. It changes, so nobody keeps it.
fn status(status: u16, told: &CallStatus) -> Result<Response, http::Error> {
    // Texts and numbers can always be written.
    let body = Bytes::from(serde_json::to_vec(told).unwrap_or_default());
    let content_type = ("content-type".to_owned(), "application/json".to_owned());
    let mut response = full(status, &[content_type], body)?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if told.status == State::Pending {
        response.headers_mut().insert(RETRY_AFTER, ASK_AGAIN);
    }
    Ok(response)
}
