//! The shape of every lasting queue, in one place: whoever declares one declares the same.

use super::{CALLBACKS, Queue, REQUESTS, RESULTS};
use crate::{CaptureId, RouteId};

/// Where requests go that nobody can read or route.
pub const DEAD_REQUESTS: &str = "dead.requests";

/// Where calls wait that were cut off so often that the next time is their last: each runner takes one of
/// them at a time, so that nobody beside it is taken for what ends runners.
pub const RETRIES: &str = "retries";

/// Where answers go that nobody can read.
pub const DEAD_RESULTS: &str = "dead.results";

/// Messages that may wait in a queue of calls: more than a second of work at full speed, and little
/// enough that a caller hears "overloaded" before its deadline.
const CALLS_MAX: usize = 16_384;

/// Bytes that may wait in a queue of calls: what one process can hold in memory beside its work.
const CALLS_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Messages kept for an operator to look at: some days of what a faulty Func leaves. A call whose caller
/// was promised it stays where it is while there is no room; of others the operator sees no more than this.
const DEAD_MAX: usize = 10_000;

/// Bytes kept for an operator to look at.
const DEAD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A token lies in it, one at most beside that which somebody holds: whose of its consumers it is given to leads
/// among the Trons that scale pools.
pub const LEADER: &str = "funcatron.leader";

/// The firehose, [`REQUESTS`].
pub fn requests_queue() -> Queue {
    calls(REQUESTS.to_owned(), DEAD_REQUESTS.to_owned())
}

/// The answers to calls whose callers do not wait, [`RESULTS`]. What finds no room waits with its runner.
pub fn results_queue() -> Queue {
    calls(RESULTS.to_owned(), DEAD_RESULTS.to_owned())
}

/// The results that are to be posted, [`CALLBACKS`].
pub fn callbacks_queue() -> Queue {
    calls(CALLBACKS.to_owned(), DEAD_RESULTS.to_owned())
}

/// The queue of this name for the calls of one bundle on a route (see [`crate::Route::queue`]).
pub fn func_queue(name: &str, route: &RouteId) -> Queue {
    calls(name.to_owned(), dead_letters(route))
}

/// The name of the queue for what a capture keeps.
pub(crate) fn capture_queue_name(capture: &CaptureId) -> String {
    format!("capture.{capture}")
}

/// The queue that entries of a capture travel through. What finds no room is not kept: calls come first.
pub fn capture_queue(capture: &CaptureId) -> Queue {
    Queue {
        name: capture_queue_name(capture),
        len_max: CALLS_MAX,
        bytes_max: CALLS_BYTES_MAX,
        dead_letter: None,
        private: false,
        single_active: false,
    }
}

/// The queue [`RETRIES`].
pub fn retries_queue() -> Queue {
    calls(RETRIES.to_owned(), DEAD_REQUESTS.to_owned())
}

/// The queue [`LEADER`].
pub fn leader_queue() -> Queue {
    let (name, dead_letter) = (LEADER.to_owned(), None);
    Queue { name, len_max: 1, bytes_max: 1024, dead_letter, private: false, single_active: true }
}

/// The name of the queue for the calls of a route that were given up.
pub fn dead_letters(route: &RouteId) -> String {
    format!("dead.{route}")
}

/// The route and the short SHA-256 of the bundle that a Func's queue is named for.
pub fn func_of(queue: &str) -> Option<(&str, &str)> {
    queue.strip_prefix("func.")?.split_once('.')
}

/// The name of the queue for calls that were given up in this queue of calls.
pub fn dead_letters_of(queue: &str) -> String {
    match func_of(queue).map(|(route, _)| RouteId::parse(route)) {
        Some(Ok(route)) => dead_letters(&route),
        _ => DEAD_REQUESTS.to_owned(),
    }
}

/// A dead-letter queue: [`DEAD_REQUESTS`] or one named by [`dead_letters`].
pub fn dead_queue(name: &str) -> Queue {
    Queue {
        name: name.to_owned(),
        len_max: DEAD_MAX,
        bytes_max: DEAD_BYTES_MAX,
        dead_letter: None,
        private: false,
        single_active: false,
    }
}

fn calls(name: String, dead_letter: String) -> Queue {
    Queue {
        name,
        len_max: CALLS_MAX,
        bytes_max: CALLS_BYTES_MAX,
        dead_letter: Some(dead_letter),
        private: false,
        single_active: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;

    #[test]
    fn calls_of_a_route_are_given_up_to_its_own_queue() {
        let route = RouteId::of(&Namespace::default(), "*", "/a");
        assert_eq!(dead_letters_of(&format!("func.{route}.01234567")), dead_letters(&route));
        for other in [REQUESTS, RETRIES, "func.x.y", "func."] {
            assert_eq!(dead_letters_of(other), DEAD_REQUESTS);
        }
    }
}
