//! `Run`: what is done to the system under load, one kind of fault each.

use super::ledger::Operation;
use super::load::Mix;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    KillFrontend,
    KillTron,
    KillTrons,
    KillRunner,
    KillBroker,
    TermFrontend,
    TermTron,
    TermRunner,
    FreezeRunner,
    CloseConnections,
    DeleteQueue,
    MemoryAlarm,
    Poison,
    CrashingFunc,
    SlowLink,
    SlicedLink,
    CutLink,
    FrozenLink,
}

impl Run {
    /// All of them: what it is called, what is done, and whether it is in the short selection.
    pub(crate) const ALL: [(Self, &'static str, &'static str, bool); 18] = [
        (Self::KillRunner, "kill-runner", "kill -9 of one runner, then of the other", true),
        (Self::KillTron, "kill-tron", "kill -9 of one Tron, then of the other", false),
        (Self::KillTrons, "kill-trons", "kill -9 of both Trons at once", false),
        (Self::KillFrontend, "kill-frontend", "kill -9 of one frontend", true),
        (Self::TermRunner, "term-runner", "SIGTERM of one runner, then of the other", false),
        (Self::TermTron, "term-tron", "SIGTERM of one Tron, then of the other", false),
        (Self::TermFrontend, "term-frontend", "SIGTERM of one frontend", false),
        (Self::KillBroker, "kill-broker", "kill -9 of the broker, and a restart", true),
        (Self::CloseConnections, "close-connections", "the broker closes every connection", false),
        (Self::DeleteQueue, "delete-queue", "the Func's queue is deleted", false),
        (Self::MemoryAlarm, "memory-alarm", "the broker's memory alarm for 5 s", false),
        (Self::FreezeRunner, "freeze-runner", "SIGSTOP of one runner for 20 s", false),
        (Self::Poison, "poison", "a call that ends whichever runner executes it", true),
        (Self::CrashingFunc, "crashing-func", "a Func beside that ends its runner on every call", false),
        (
            Self::SlowLink,
            "slow-link",
            "one member of each kind is 50-100 ms away from the broker for 5 s",
            false,
        ),
        (Self::SlicedLink, "sliced-link", "one member of each kind speaks one byte at a time for 5 s", false),
        (Self::CutLink, "cut-link", "one member of each kind is cut off from the broker three times", false),
        (Self::FrozenLink, "frozen-link", "one member of each kind is not heard for 20 s", false),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(run, ..)| *run == self).map_or("", |(_, name, ..)| name)
    }

    /// What is asked for meanwhile.
    pub(crate) fn mix(self) -> Mix {
        use Operation::{Append, Read, Slow, Write};
        match self {
            // What a lost runner had of a call that may not be repeated is a dead letter by right, and
            // would hide an innocent one.
            Self::Poison | Self::CrashingFunc => {
                Mix { operations: &[(Read, 40), (Write, 40), (Slow, 20)], asynchronous_percent: 30 }
            }
            _ => Mix {
                operations: &[(Read, 35), (Write, 25), (Append, 25), (Slow, 15)],
                asynchronous_percent: 30,
            },
        }
    }
}
