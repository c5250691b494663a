//! `Scene`: what happens to a cluster whose runners Tron starts and stops.

use super::super::ledger::{Operation, Request};
use super::super::load::Mix;
use super::fleet::Kind;
use super::pool::Pool;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    Burst,
    Zero,
    KillTron,
    KillRunner,
    KillEngine,
    Replace,
    Shrink,
}

impl Scene {
    /// All of them: what it is called, and what happens.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::Burst, "burst", "ten times the load for 12 s, from one runner and back to it"),
        (Self::Zero, "zero", "a call that nobody waits for and 500 calls at once, to no runner at all"),
        (Self::KillTron, "kill-tron", "kill -9 of the Tron that leads as soon as it has decided to grow"),
        (Self::KillRunner, "kill-runner", "kill -9 of the one runner as soon as the pool is to grow"),
        (Self::KillEngine, "kill-engine", "kill -9 of dockerd as soon as the pool is to grow, and a restart"),
        (Self::Replace, "replace", "runners made from something else, under load"),
        (Self::Shrink, "shrink", "a third of the load of a burst goes on while runners leave"),
    ];

    /// Those that can happen to such runners.
    pub(crate) fn of(kind: Kind) -> impl Iterator<Item = Self> {
        let has_engine = kind != Kind::Process;
        let scenes = Self::ALL.iter().map(|(scene, ..)| *scene);
        scenes.filter(move |scene| *scene != Self::KillEngine || has_engine)
    }

    /// What happens.
    pub(crate) fn what(self) -> &'static str {
        Self::ALL.iter().find(|(scene, ..)| *scene == self).map_or("", |(.., what)| what)
    }

    /// Those of the short selection.
    pub(crate) fn is_short(self, kind: Kind) -> bool {
        match kind {
            Kind::Process => matches!(self, Self::Burst | Self::Zero | Self::KillTron),
            Kind::Docker => matches!(self, Self::Burst | Self::KillRunner),
            Kind::Swarm => false,
        }
    }

    pub(crate) fn name(self, kind: Kind) -> String {
        let name = Self::ALL.iter().find(|(scene, ..)| *scene == self).map_or("", |(_, name, _)| name);
        format!("{name}-{}", kind.name())
    }

    /// The pool that it begins with.
    pub(super) fn pool(self) -> Pool {
        Pool::of(match self {
            Self::Zero => 0,
            Self::Replace => 3,
            Self::Burst | Self::KillTron | Self::KillRunner | Self::KillEngine | Self::Shrink => 1,
        })
    }

    /// What is asked for: calls that last a tenth of a second on average, since two in five are slow.
    pub(super) fn mix(self) -> Mix {
        use Operation::{Append, Read, Slow, Write};
        Mix { operations: &[(Read, 25), (Write, 20), (Append, 15), (Slow, 40)], asynchronous_percent: 20 }
    }

    /// The requests that must succeed, whatever happens.
    pub(super) fn spared(self) -> fn(&Request) -> bool {
        match self {
            Self::Burst | Self::Zero | Self::Shrink => |_| true,
            // What a member had when it ended it may have begun or passed on, so that what cannot be repeated is not.
            Self::KillTron | Self::KillRunner | Self::KillEngine | Self::Replace => {
                |request| request.operation.is_repeatable()
            }
        }
    }
}
