//! What becomes of a call when it is delivered: the one place that decides whether it is begun. Pure.

use std::fmt;

/// How a call was cut off, as far as anybody knows who did not see it.
pub(crate) const CUT_OFF: &str = "the runner that had it went away";

/// What there is to know about a call that is delivered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// How often it was begun before, plus one.
    pub(crate) attempt: u32,
    /// How often it may be begun.
    pub(crate) attempts_max: u32,
    /// Whether somebody had it before and did not finish: each such time counts as begun.
    pub(crate) redelivered: bool,
    /// Whether it was alone with whoever had it.
    pub(crate) isolated: bool,
    /// Whether its caller was promised it.
    pub(crate) asynchronous: bool,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is begun.
    Run,
    /// It goes back to its queue, alone, to be begun for the time of this number.
    PutBack { attempt: u32 },
    /// It goes to where calls are tried alone, one at a time: if it is what ends runners, that shows.
    Isolate { attempt: u32 },
    /// Its caller is told that nobody knows what came of it.
    Refuse,
    /// The same, and it is kept for an operator.
    GiveUp(Why),
}

/// Why a call is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It may have had its effects, and to begin it again might double them.
    Unrepeatable,
    /// Each time, it was cut off.
    Exhausted,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unrepeatable => "the call was cut off and may have had its effects; it is not repeated",
            Self::Exhausted => "the call was cut off each time it was begun; it may have had its effects",
        })
    }
}

/// Decides what becomes of a call. Whether it can be repeated without harm is asked only when it matters.
pub(crate) fn decide(call: Call, repeatable: impl FnOnce() -> bool) -> Outcome {
    let Call { attempt, attempts_max, redelivered, isolated, asynchronous } = call;
    // Whoever counted it before knew that it may have been begun.
    if (redelivered || attempt > 1) && !repeatable() {
        return if asynchronous { Outcome::GiveUp(Why::Unrepeatable) } else { Outcome::Refuse };
    }
    let next = attempt.saturating_add(1);
    match next.cmp(&attempts_max) {
        _ if !redelivered => Outcome::Run,
        _ if isolated => Outcome::GiveUp(Why::Exhausted),
        std::cmp::Ordering::Less => Outcome::PutBack { attempt: next },
        std::cmp::Ordering::Equal => Outcome::Isolate { attempt: next },
        std::cmp::Ordering::Greater => Outcome::GiveUp(Why::Exhausted),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRESH: Call =
        Call { attempt: 1, attempts_max: 3, redelivered: false, isolated: false, asynchronous: false };
    const CUT: Call = Call { redelivered: true, ..FRESH };

    #[test]
    fn what_is_cut_off_is_put_back_then_tried_alone_then_given_up() {
        let again = |call| decide(call, || true);
        assert_eq!(again(FRESH), Outcome::Run);
        assert_eq!(again(CUT), Outcome::PutBack { attempt: 2 });
        assert_eq!(again(Call { attempt: 2, ..CUT }), Outcome::Isolate { attempt: 3 });
        let last = Call { attempt: 3, isolated: true, ..CUT };
        assert_eq!(again(Call { redelivered: false, ..last }), Outcome::Run);
        assert_eq!(again(last), Outcome::GiveUp(Why::Exhausted));
    }

    #[test]
    fn what_cannot_be_repeated_is_begun_once() {
        let once = |call| decide(call, || false);
        assert_eq!(once(FRESH), Outcome::Run);
        assert_eq!(once(CUT), Outcome::Refuse);
        assert_eq!(once(Call { attempt: 2, ..FRESH }), Outcome::Refuse);
        let promised = Call { asynchronous: true, ..CUT };
        assert_eq!(once(promised), Outcome::GiveUp(Why::Unrepeatable));
        let counted = Call { attempt: 2, redelivered: false, ..promised };
        assert_eq!(once(counted), Outcome::GiveUp(Why::Unrepeatable));
    }

    #[test]
    fn a_first_delivery_does_not_ask_whether_it_can_be_repeated() {
        assert_eq!(decide(FRESH, || unreachable!("asked")), Outcome::Run);
    }

    /// What becomes of a call that ends everybody who begins it: how often it was begun, and its end.
    fn fate(mut call: Call, repeatable: bool) -> (u32, Outcome) {
        let mut begun = 0;
        loop {
            match decide(call, || repeatable) {
                Outcome::Run => {
                    begun += 1;
                    call.redelivered = true;
                }
                Outcome::PutBack { attempt } => {
                    assert!(attempt > call.attempt);
                    call = Call { attempt, redelivered: false, ..call };
                }
                Outcome::Isolate { attempt } => {
                    assert_eq!(attempt, call.attempts_max);
                    call = Call { attempt, redelivered: false, isolated: true, ..call };
                }
                end => return (begun, end),
            }
        }
    }

    proptest! {
        #[test]
        fn what_always_ends_its_runner_is_begun_as_often_as_allowed(
            (attempts_max, asynchronous) in (1u32..20, any::<bool>()),
        ) {
            let call = Call { attempts_max, asynchronous, ..FRESH };
            prop_assert_eq!(fate(call, true), (attempts_max, Outcome::GiveUp(Why::Exhausted)));
            prop_assert_eq!(fate(call, false).0, 1);
        }

        #[test]
        fn every_call_comes_to_an_end(
            (attempt, attempts_max) in (any::<u32>(), any::<u32>()),
            (redelivered, isolated, asynchronous, repeatable) in any::<(bool, bool, bool, bool)>(),
        ) {
            // The last attempts are enough to see the end.
            let attempt = attempt.max(attempts_max.saturating_sub(10));
            fate(Call { attempt, attempts_max, redelivered, isolated, asynchronous }, repeatable);
        }
    }
}
