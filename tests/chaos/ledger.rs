//! `Ledger`: everything that is known of a run when it is over, from outside the system.

use std::time::Duration;

use uuid::Uuid;

/// What was asked, what was executed, what was given up, and what was done to the system.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) requests: Vec<Request>,
    pub(crate) executions: Vec<Execution>,
    pub(crate) dead: Vec<GivenUp>,
    pub(crate) faults: Vec<Fault>,
    /// Messages that still lie in a queue after everything has come to rest.
    pub(crate) left: Vec<(String, u64)>,
    /// When the load ended.
    pub(crate) end: Duration,
}

/// The operations of the ledger Func.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    Write,
    /// The one that may not be repeated.
    Append,
    /// Held by the sink for a while.
    Slow,
    /// Ends the runner that executes it.
    Poison,
}

/// One request, sent once.
pub(crate) struct Request {
    pub(crate) id: Uuid,
    pub(crate) operation: Operation,
    pub(crate) asynchronous: bool,
    pub(crate) at: Duration,
    /// The frontend that it was sent to, or would have been.
    pub(crate) frontend: usize,
    pub(crate) outcome: Outcome,
    /// How an accepted asynchronous call ended, as its location says.
    pub(crate) settled: Option<Settled>,
}

/// What the client heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered(Answered),
    /// The connection ended before the answer.
    Cut {
        at: Duration,
        why: String,
    },
    /// No frontend took a connection: nothing was sent.
    Refused,
    /// Nothing, for longer than the client waits.
    Silent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) at: Duration,
    pub(crate) status: u16,
    /// The id that the answer names as its own.
    pub(crate) id: Option<Uuid>,
    /// What the platform says was wrong.
    pub(crate) problem: Option<String>,
    /// Where an accepted call is followed.
    pub(crate) location: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Done,
    Failed,
    /// Still under way when everything else had come to rest.
    Open,
}

/// One execution, as the sink saw it.
pub(crate) struct Execution {
    pub(crate) id: Uuid,
    pub(crate) attempt: u32,
    pub(crate) version: String,
    pub(crate) at: Duration,
}

/// A call that the platform gave up, as its dead letters say.
pub(crate) struct GivenUp {
    pub(crate) id: Option<Uuid>,
    pub(crate) attempts: u32,
    pub(crate) reason: String,
    pub(crate) last_error: String,
}

/// Something done to the system, from its first effect until nothing more is done.
#[derive(Clone)]
pub(crate) struct Fault {
    pub(crate) what: String,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
    /// The frontend that was ended without warning, whose connections ended with it.
    pub(crate) killed_frontend: Option<usize>,
}

impl Operation {
    /// The operation's id in the document of the ledger Func.
    pub(crate) fn of(operation_id: &str) -> Option<Self> {
        Some(match operation_id {
            "readEntry" => Self::Read,
            "writeEntry" => Self::Write,
            "appendEntry" => Self::Append,
            "slowEntry" => Self::Slow,
            "poisonEntry" => Self::Poison,
            _ => return None,
        })
    }

    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Read | Self::Slow | Self::Poison => "GET",
            Self::Write => "PUT",
            Self::Append => "POST",
        }
    }

    pub(crate) fn path(self, id: Uuid) -> String {
        match self {
            Self::Read | Self::Write | Self::Append => format!("/entries/{id}"),
            Self::Slow => format!("/slow/{id}"),
            Self::Poison => format!("/poison/{id}"),
        }
    }

    /// Whether the platform may execute it again.
    pub(crate) fn is_repeatable(self) -> bool {
        self != Self::Append
    }
}

impl Request {
    pub(crate) fn answered(&self) -> Option<&Answered> {
        match &self.outcome {
            Outcome::Answered(answered) => Some(answered),
            _ => None,
        }
    }

    /// Whether the caller got what was asked for: the result, or the promise of it.
    pub(crate) fn succeeded(&self) -> bool {
        self.answered().is_some_and(|answered| (200..300).contains(&answered.status))
    }

    /// Whether the platform promised that the call will be carried out.
    pub(crate) fn is_promised(&self) -> bool {
        self.asynchronous && self.answered().is_some_and(|answered| answered.status == 202)
    }

    pub(crate) fn latency(&self) -> Option<Duration> {
        self.answered().map(|answered| answered.at.saturating_sub(self.at))
    }
}

impl Fault {
    /// Something that happens at one moment.
    pub(crate) fn instant(what: impl Into<String>, at: Duration) -> Self {
        Self { what: what.into(), start: at, end: at, killed_frontend: None }
    }

    /// Whether anything between these two moments may be its doing.
    pub(crate) fn touches(&self, from: Duration, to: Duration) -> bool {
        from <= self.end + SLACK && to + SLACK >= self.start
    }
}

/// What lies between a thing done to a process and the moment that we note.
const SLACK: Duration = Duration::from_secs(1);
