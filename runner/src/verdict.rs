//! What becomes of a promised call after it was run. Pure.

use std::time::Duration;

use swagger::Retries;

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What came of it is its result.
    End,
    /// It is begun anew after this time.
    Again { wait: Duration },
    /// What came of it is its result, and it is kept for an operator.
    GiveUp(Why),
}

/// Why it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    #[error("the call failed each time it was begun")]
    Exhausted,
    #[error("the call failed, and its time is up before it could be begun again")]
    Late,
    #[error("the call waited until its time was up")]
    Expired,
}

/// What there is to know about a promised call that was run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// The status that it came to.
    pub(crate) status: u16,
    /// How often it was begun anew before.
    pub(crate) retry: u32,
    /// How often its operation wants that.
    pub(crate) retries: Option<Retries>,
    /// How much time it has left.
    pub(crate) remaining: Duration,
}

/// Decides what becomes of it. An operation that says nothing about retries knows what its failures mean;
/// but one that was not even begun in time is a promise that was not kept.
pub(crate) fn decide(run: Run) -> Verdict {
    let Run { status, retry, retries, remaining } = run;
    match retries {
        _ if status < 500 => Verdict::End,
        _ if status == 504 && remaining.is_zero() => Verdict::GiveUp(Why::Expired),
        None => Verdict::End,
        Some(retries) => match retries.wait(retry) {
            None => Verdict::GiveUp(Why::Exhausted),
            Some(wait) if wait >= remaining => Verdict::GiveUp(Why::Late),
            Some(wait) => Verdict::Again { wait },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operation that is begun anew twice, after one second and after two.
    fn retries() -> Option<Retries> {
        let document =
            br#"{"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": {"/": {"post":
            {"operationId": "x", "x-funcatron-retries": {"max": 2, "backoff": "1s"}, "responses": {}}}}}"#;
        let document = swagger::Document::parse(document).unwrap();
        document.operation("POST", "/").unwrap().retries()
    }

    #[test]
    fn failures_are_tried_again_as_often_as_the_operation_wants() {
        let run = Run { status: 500, retry: 0, retries: retries(), remaining: Duration::from_secs(60) };
        let again = |seconds| Verdict::Again { wait: Duration::from_secs(seconds) };
        assert_eq!(decide(run), again(1));
        assert_eq!(decide(Run { status: 504, retry: 1, ..run }), again(2));
        assert_eq!(decide(Run { retry: 2, ..run }), Verdict::GiveUp(Why::Exhausted));
        for status in [200, 303, 404, 499] {
            assert_eq!(decide(Run { status, ..run }), Verdict::End);
        }
        assert_eq!(decide(Run { retries: None, ..run }), Verdict::End);
    }

    #[test]
    fn what_has_no_time_left_is_kept() {
        let run = Run { status: 504, retry: 0, retries: None, remaining: Duration::ZERO };
        assert_eq!(decide(run), Verdict::GiveUp(Why::Expired));
        let soon = Run { retries: retries(), remaining: Duration::from_millis(999), ..run };
        assert_eq!(decide(soon), Verdict::GiveUp(Why::Late));
        assert_eq!(decide(Run { retries: None, ..soon }), Verdict::End);
    }
}
