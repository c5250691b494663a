//! `Rejection`: why a request of an operator is not carried out.

use wire::{Fault, ProblemKind};

/// Why a request of an operator is not carried out. Its text is for the operator's eyes.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// It contradicts what is already there.
    #[error("{0}")]
    Conflict(String),
    /// What was sent is not what is asked for at all.
    #[error("{0}")]
    Malformed(String),
    /// What was sent is understood and unusable.
    #[error("{detail}")]
    Unusable {
        /// One sentence.
        detail: String,
        /// Every place to look.
        faults: Vec<Fault>,
    },
    /// It is over a limit.
    #[error("{what} is over {max} bytes")]
    TooLarge {
        /// What is.
        what: String,
        /// The limit.
        max: u64,
    },
    /// Nobody can run it at present.
    #[error("nobody can run it: {0}")]
    Unserved(String),
    /// A call came to no answer.
    #[error("{why}")]
    NoAnswer {
        /// What kept it from one.
        kind: ProblemKind,
        /// The same in a sentence.
        why: String,
    },
    /// Others kept changing the state in between.
    #[error("the state is being changed by others, try again")]
    Contended,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] wire::store::Error),
    /// The broker failed.
    #[error("the broker failed")]
    Broker(#[from] wire::broker::Error),
    /// A task broke off; a mistake of ours.
    #[error("the work broke off")]
    Task(#[from] tokio::task::JoinError),
}

impl Rejection {
    /// One fault in one place.
    pub(crate) fn fault(location: &str, pointer: &str, reason: impl Into<String>) -> Self {
        let fault = Fault::new(location, pointer, reason);
        Self::Unusable { detail: format!("{location}: {}", fault.reason), faults: vec![fault] }
    }

    /// The kind of problem that it is.
    pub fn kind(&self) -> ProblemKind {
        match self {
            Self::NotFound(_) => ProblemKind::NotFound,
            Self::Conflict(_) => ProblemKind::Conflict,
            Self::Malformed(_) => ProblemKind::InvalidRequest,
            Self::Unusable { .. } => ProblemKind::Unprocessable,
            Self::TooLarge { .. } => ProblemKind::BodyTooLarge,
            Self::Unserved(_) => ProblemKind::NoRunner,
            Self::NoAnswer { kind, .. } => *kind,
            Self::Contended => ProblemKind::Overloaded,
            Self::Store(_) | Self::Broker(_) | Self::Task(_) => ProblemKind::Internal,
        }
    }

    /// Every place to look, when there are several.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Unusable { faults, .. } => faults,
            _ => &[],
        }
    }
}
