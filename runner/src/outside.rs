//! `Outside`: what a call finds outside its sandbox: the world as it is, or what a call drew from it before.

mod clocks;
mod dice;
mod error_code;
mod exchange;
mod tape;
mod tee;

use wire::capture::Drawn;
use wire::{Invoke, Timestamp};

pub(crate) use error_code::UNREAD;
pub(crate) use exchange::{Exchange, play};
pub(crate) use tape::{Answering, Tape, header_bytes};

/// What a call finds outside its sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    /// The world as it is.
    Live,
    /// The same, and what is drawn from it is noted.
    Recorded,
    /// What was drawn before; what is drawn now is noted as well.
    Played(Played),
}

/// What a call is given in place of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Played {
    /// What was drawn before. Without it clocks and random bytes are real.
    pub(crate) drawn: Option<Drawn>,
    /// When the call was accepted that drew it.
    pub(crate) at: Timestamp,
    /// Whether requests may go out that were not recorded.
    pub(crate) open: bool,
}

impl Outside {
    /// What this call is to find there. What a replay draws is always noted.
    pub(crate) fn of(invoke: &Invoke, recorded: bool) -> Self {
        match &invoke.replay {
            Some(replay) => {
                Self::Played(Played { drawn: replay.drawn.clone(), at: invoke.at, open: replay.outside })
            }
            None if recorded => Self::Recorded,
            None => Self::Live,
        }
    }

    /// What notes it, and plays it back, if anything is to.
    pub(crate) fn tape(self) -> Option<Tape> {
        match self {
            Self::Live => None,
            Self::Recorded => Some(Tape::blank()),
            Self::Played(played) => Some(Tape::playing(played)),
        }
    }
}
