//! What the store keeps of calls whose callers do not wait, and what is told of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ActivationId, Answer, MemberId, Namespace, RequestId, Timestamp};

/// The folder of paths that frontends answer themselves; no Func is ever asked for one of them.
pub const RESERVED: &str = "/_funcatron/";

/// How long a call may take until it is done, and how much longer its result is kept.
pub const TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// How long after its deadline the end of a call may become known: it waits while the store is away.
const OVERDUE: Duration = Duration::from_secs(5 * 60);

/// That a call was accepted; written before it is handed over, and what makes it known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The call.
    pub activation: ActivationId,
    /// The id that the client sees.
    pub request_id: RequestId,
    /// The tenant.
    pub namespace: Namespace,
    /// When it was accepted.
    pub at: Timestamp,
    /// When it stops being of use to begin it.
    pub deadline: Timestamp,
    /// When everything about it is forgotten.
    pub expires_at: Timestamp,
    /// Where the result is to be posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<String>,
}

/// What a call came to. The first that is written stands, unless it failed and came to succeed after all:
/// an operator may have it tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// When.
    pub at: Timestamp,
    /// The answer to it.
    pub answer: Answer,
}

/// That a Tron takes it upon itself to have a call begun again, or to give it up: once for each number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Which claim of the call this is; the first has number 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: MemberId,
}

/// How posting the result ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// When.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was given up; absent when it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It waits or runs.
    Pending,
    /// It has a result with a status below 500.
    Done,
    /// It has a result with a status from 500 on, or its time is over and it has none.
    Failed,
    /// It was cancelled before it had a result.
    Cancelled,
}

/// What a caller is told of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallStatus {
    /// The call.
    pub id: ActivationId,
    /// The id of the request that asked for it.
    pub request_id: RequestId,
    /// How far it is.
    pub status: State,
    /// Whether it is to be cancelled, while it is pending.
    #[serde(default, skip_serializing_if = "crate::invoke::is_false")]
    pub cancelling: bool,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// When everything about it is forgotten.
    pub expires_at: Timestamp,
    /// The HTTP status of its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_status: Option<u16>,
    /// Where its result is, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// How posting the result ended, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
}

impl State {
    /// Its name, as it is in a status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Accepted {
    /// Whether the call has no result and will not get one: whoever accepted it may have gone away before
    /// it was handed over.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        is_overdue(self.deadline, now)
    }
}

impl Finished {
    /// How the call ended.
    pub fn state(&self) -> State {
        match &self.answer {
            answer if answer.is_cancelled() => State::Cancelled,
            Answer { status: 500.., .. } => State::Failed,
            _ => State::Done,
        }
    }
}

impl CallStatus {
    /// What is to be told of a call now.
    pub fn of(accepted: &Accepted, finished: Option<&Finished>, now: Timestamp) -> Self {
        let status = match finished {
            Some(finished) => finished.state(),
            None if accepted.is_overdue(now) => State::Failed,
            None => State::Pending,
        };
        let finished_with = finished.filter(|_| status != State::Cancelled);
        let path = location(&accepted.activation);
        Self {
            id: accepted.activation,
            request_id: accepted.request_id.clone(),
            status,
            cancelling: false,
            accepted_at: accepted.at,
            finished_at: finished.map(|finished| finished.at),
            expires_at: accepted.expires_at,
            response_status: finished_with.map(|finished| finished.answer.status),
            result: finished_with.map(|_| format!("{path}/result")),
            callback: None,
        }
    }
}

/// Whether a call that has no result at this moment will not get one any more.
pub fn is_overdue(deadline: Timestamp, now: Timestamp) -> bool {
    deadline.after(OVERDUE) <= now
}

/// The path of a call on every frontend.
pub fn location(activation: &ActivationId) -> String {
    format!("{RESERVED}calls/{activation}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, BundleSha, Component, Problem, ProblemKind, Version};

    #[test]
    fn the_answer_says_how_a_call_ended() {
        let activation = ActivationId::unguessable();
        let problem = |kind| {
            let problem = Problem::new(kind, "", RequestId::generate(), Component::Runner);
            Answer::problem(activation, 1, problem)
        };
        let own = |status| Answer {
            v: Version,
            id: RequestId::generate(),
            activation,
            attempt: 1,
            bundle: Some(BundleSha::of(b"")),
            status,
            headers: Vec::new(),
            body: Body::EMPTY,
            part: 0,
            more: false,
        };
        for (answer, state) in [
            (own(200), State::Done),
            (own(410), State::Done),
            (own(500), State::Failed),
            (problem(ProblemKind::NotFound), State::Done),
            (problem(ProblemKind::FuncFailed), State::Failed),
            (problem(ProblemKind::Cancelled), State::Cancelled),
        ] {
            assert_eq!(Finished { at: Timestamp(0), answer: answer.clone() }.state(), state, "{answer:?}");
        }
    }
}
