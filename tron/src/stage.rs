//! `Stage`: how far the queue of a replaced Func is on its way out. Pure.

use std::time::Duration;

use tokio::time::Instant;
use wire::broker::Depth;

/// How far the queue of a replaced Func is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is not there, as far as is known.
    Gone,
    /// Runners serve it; when it was last known to have calls, or to be about to get some.
    Draining { busy_at: Instant },
    /// It is empty and nobody sends to it. Runners let go of it when their last call is done.
    Drained,
    /// Nobody needs it.
    Abandoned,
}

impl Stage {
    /// Whether runners are to serve it.
    pub(crate) fn is_served(self) -> bool {
        matches!(self, Self::Draining { .. })
    }

    /// What comes after a look at the queue; `None` when it is not there.
    pub(crate) fn after(self, depth: Option<Depth>, now: Instant, grace: Duration) -> Self {
        let Some(depth) = depth else { return Self::Gone };
        if depth.ready > 0 || depth.unsettled.is_some_and(|unsettled| unsettled > 0) {
            return Self::Draining { busy_at: now };
        }
        match self {
            Self::Gone => Self::Draining { busy_at: now },
            Self::Draining { busy_at } if now.duration_since(busy_at) < grace => self,
            Self::Draining { .. } => Self::Drained,
            // A runner's consumer goes after its last call: until then that call may come back.
            Self::Drained | Self::Abandoned if depth.consumers > 0 => Self::Drained,
            Self::Drained | Self::Abandoned => Self::Abandoned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(2);
    const EMPTY: Depth = Depth { ready: 0, unsettled: None, consumers: 0, held_back: 0 };

    #[test]
    fn a_queue_goes_when_it_was_empty_for_a_while_and_nobody_consumes_it() {
        let start = Instant::now();
        let served = Some(Depth { consumers: 2, ..EMPTY });
        let draining = Stage::Draining { busy_at: start };
        assert_eq!(draining.after(served, start + GRACE / 2, GRACE), draining);
        let drained = draining.after(served, start + GRACE, GRACE);
        assert_eq!(drained, Stage::Drained);
        assert_eq!(drained.after(served, start + GRACE * 9, GRACE), Stage::Drained);
        assert_eq!(drained.after(Some(EMPTY), start + GRACE, GRACE), Stage::Abandoned);
        assert_eq!(Stage::Abandoned.after(None, start, GRACE), Stage::Gone);
    }

    #[test]
    fn calls_that_come_back_are_served_again_and_the_grace_begins_anew() {
        let now = Instant::now();
        for depth in [Depth { ready: 1, ..EMPTY }, Depth { unsettled: Some(1), ..EMPTY }] {
            for stage in [Stage::Gone, Stage::Drained, Stage::Abandoned] {
                assert_eq!(stage.after(Some(depth), now, GRACE), Stage::Draining { busy_at: now });
            }
        }
    }

    #[test]
    fn a_queue_that_turns_up_is_served_for_a_while() {
        let now = Instant::now();
        assert_eq!(Stage::Gone.after(Some(EMPTY), now, GRACE), Stage::Draining { busy_at: now });
    }
}
