//! What becomes of a promised call that has not ended for long. Pure.

use std::fmt;
use std::time::Duration;

use wire::{Timestamp, calls};

/// How often a call is begun again that was lost: whatever loses it each time is not going to stop doing so.
const BEGINS_MAX: u32 = 2;

/// What there is to know about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// When it was promised, or somebody claimed it for the last time.
    pub(super) begun_at: Timestamp,
    /// When it stops being of use to begin it.
    pub(super) deadline: Timestamp,
    /// How often it was claimed.
    pub(super) claims: u32,
    /// When it was in none of its queues, if it is in none now.
    pub(super) nowhere_since: Option<Timestamp>,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It waits or runs, as far as anybody can tell.
    Leave,
    /// It is begun again, for the time of this number.
    BeginAgain { attempt: u32 },
    /// It is kept for an operator, and its caller is told.
    GiveUp(Why),
}

/// Why it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It got lost each time.
    Lost,
    /// Its time is over.
    Overdue,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "the call got lost each time it was handed over; it may have had its effects",
            Self::Overdue => "the call had no result by its deadline; it may have had its effects",
        })
    }
}

/// Decides what becomes of it. Who may be running it has `lost_after`, from when it was begun and from when it was
/// seen to be in no queue.
pub(super) fn decide(case: Case, lost_after: Duration, now: Timestamp) -> Decision {
    let Case { begun_at, deadline, claims, nowhere_since } = case;
    let is_old = |since: Timestamp| now.since(since) >= lost_after;
    if !is_old(begun_at) {
        return Decision::Leave;
    }
    if calls::is_overdue(deadline, now) {
        return Decision::GiveUp(Why::Overdue);
    }
    match nowhere_since {
        Some(since) if since >= begun_at && is_old(since) => match claims {
            ..BEGINS_MAX => Decision::BeginAgain { attempt: claims + 2 },
            _ => Decision::GiveUp(Why::Lost),
        },
        _ => Decision::Leave,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOST_AFTER: Duration = Duration::from_millis(100);
    const NOW: Timestamp = Timestamp(1_000);
    const CASE: Case = Case {
        begun_at: Timestamp(800),
        deadline: Timestamp(100_000),
        claims: 0,
        nowhere_since: Some(Timestamp(900)),
    };

    fn decided(case: Case) -> Decision {
        decide(case, LOST_AFTER, NOW)
    }

    #[test]
    fn what_is_nowhere_twice_is_begun_again_and_given_up_in_the_end() {
        assert_eq!(decided(CASE), Decision::BeginAgain { attempt: 2 });
        assert_eq!(decided(Case { claims: 1, ..CASE }), Decision::BeginAgain { attempt: 3 });
        for claims in [2, 3, u32::MAX] {
            assert_eq!(decided(Case { claims, ..CASE }), Decision::GiveUp(Why::Lost));
        }
    }

    #[test]
    fn what_may_be_somewhere_is_left() {
        let seen = |at| Case { nowhere_since: Some(Timestamp(at)), ..CASE };
        assert_eq!(decided(Case { nowhere_since: None, ..CASE }), Decision::Leave);
        assert_eq!(decided(seen(901)), Decision::Leave, "whoever has it may be running it");
        assert_eq!(decided(seen(799)), Decision::Leave, "it was not there yet");
        assert_eq!(decided(Case { begun_at: Timestamp(901), ..seen(901) }), Decision::Leave);
    }

    #[test]
    fn what_is_overdue_is_given_up_wherever_it_is() {
        let late = Case { deadline: Timestamp(1_000), nowhere_since: None, ..CASE };
        let now = Timestamp(301_000);
        assert_eq!(decide(late, LOST_AFTER, now), Decision::GiveUp(Why::Overdue));
        assert_eq!(decide(late, LOST_AFTER, Timestamp(300_999)), Decision::Leave);
        let claimed = Case { begun_at: Timestamp(300_950), ..late };
        assert_eq!(decide(claimed, LOST_AFTER, now), Decision::Leave, "somebody is about it");
    }

    proptest! {
        #[test]
        fn nothing_is_touched_that_was_begun_or_claimed_lately(
            (begun_at, deadline, claims) in (901u64..2_000, 0u64..2_000, any::<u32>()),
            nowhere_since in proptest::option::of(0u64..2_000),
        ) {
            let nowhere_since = nowhere_since.map(Timestamp);
            let (begun_at, deadline) = (Timestamp(begun_at), Timestamp(deadline));
            prop_assert_eq!(decided(Case { begun_at, deadline, claims, nowhere_since }), Decision::Leave);
        }

        /// Whatever loses it, and however often.
        #[test]
        fn every_call_comes_to_an_end(deadline in 0u64..1_000_000) {
            let mut case = Case { deadline: Timestamp(deadline), begun_at: Timestamp(0), ..CASE };
            let mut now = Timestamp(0);
            let mut begins = 0;
            loop {
                now = now.after(LOST_AFTER);
                match decide(Case { nowhere_since: Some(case.begun_at), ..case }, LOST_AFTER, now) {
                    Decision::Leave => {}
                    Decision::BeginAgain { .. } => {
                        begins += 1;
                        case = Case { claims: case.claims + 1, begun_at: now, ..case };
                    }
                    Decision::GiveUp(_) => break,
                }
            }
            prop_assert!(begins <= BEGINS_MAX);
        }
    }
}
