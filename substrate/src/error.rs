//! What can go wrong with runners, said so that an operator knows what to do.

use std::io;
use std::time::Duration;

use crate::redaction::Redaction;

/// Why runners could not be seen, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is there, or says anything.
    #[error("docker at {engine} does not answer")]
    Unreachable {
        /// Where it should be.
        engine: String,
        /// How that was found out.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine is there, and takes too long.
    #[error("docker at {engine} took more than {limit:?} to {task}")]
    Late {
        /// The engine.
        engine: String,
        /// What it was asked to do.
        task: &'static str,
        /// How long it had.
        limit: Duration,
    },
    /// The engine does not want to.
    #[error("docker at {engine} does not {task}: {message} ({status})")]
    Refused {
        /// The engine.
        engine: String,
        /// What it was asked to do.
        task: &'static str,
        /// Its HTTP status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// The engine says what no engine says.
    #[error("docker at {engine} was asked to {task} and answers what cannot be read")]
    Unreadable {
        /// The engine.
        engine: String,
        /// What it was asked to do.
        task: &'static str,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine is older than what is asked of it.
    #[error("docker at {engine} speaks API {spoken}, {needed} is needed")]
    OldApi {
        /// The engine.
        engine: String,
        /// The newest version that it speaks.
        spoken: String,
        /// The oldest that will do.
        needed: &'static str,
    },
    /// The image is not there, and is not fetched.
    #[error("there is no image {image} on docker at {engine}")]
    NoImage {
        /// The engine.
        engine: String,
        /// The image.
        image: String,
    },
    /// The engine is not in a Swarm, or manages none.
    #[error("docker at {engine} manages no swarm")]
    NoSwarm {
        /// The engine.
        engine: String,
    },
    /// Where the engine is cannot be read.
    #[error("'{0}' is no Docker Engine such as unix:///var/run/docker.sock or http://127.0.0.1:2375")]
    BadHost(String),
    /// A container is made from an image.
    #[error("pool {0} has no image")]
    ImageMissing(String),
    /// Somebody else has the pool in hand for too long.
    #[error("runners in {0} are in somebody else's hands")]
    Busy(String),
    /// The machine does not want to.
    #[error("{task}")]
    Machine {
        /// What was tried.
        task: String,
        /// Why it did not succeed.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Something of this machine that went wrong.
    pub(crate) fn machine(task: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let task = task.into();
        move |source| Self::Machine { task, source }
    }

    /// Whether it is of no consequence: somebody else did it before.
    pub(crate) fn is_done_already(&self) -> bool {
        matches!(self, Self::Refused { status: 304 | 404 | 409, .. })
    }

    /// The same, with nothing in it that the operator keeps secret: an engine may repeat what it was given.
    pub(crate) fn without_secrets(self, redaction: &Redaction) -> Self {
        match self {
            Self::Refused { engine, task, status, message } => {
                Self::Refused { engine, task, status, message: redaction.apply(&message) }
            }
            other => other,
        }
    }
}
