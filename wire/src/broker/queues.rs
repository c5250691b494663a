//! The shape of every lasting queue, in one place: whoever declares one declares the same.

use super::{Queue, REQUESTS};
use crate::RouteId;

/// Where requests go that nobody can read or route.
pub const DEAD_REQUESTS: &str = "dead.requests";

/// Messages that may wait in a queue of calls: more than a second of work at full speed, and little
/// enough that a caller hears "overloaded" before its deadline.
const CALLS_MAX: usize = 16_384;

/// Bytes that may wait in a queue of calls: what one process can hold in memory beside its work.
const CALLS_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Messages kept for an operator to look at; what is given up after that is lost.
const DEAD_MAX: usize = 1_000;

/// Bytes kept for an operator to look at.
const DEAD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The firehose, [`REQUESTS`].
pub fn requests_queue() -> Queue {
    calls(REQUESTS.to_owned(), DEAD_REQUESTS.to_owned())
}

/// The queue of this name for the calls of one bundle on a route (see [`crate::Route::queue`]).
pub fn func_queue(name: &str, route: &RouteId) -> Queue {
    calls(name.to_owned(), dead_letters(route))
}

/// The name of the queue for the calls of a route that were given up.
pub fn dead_letters(route: &RouteId) -> String {
    format!("dead.{route}")
}

/// A dead-letter queue: [`DEAD_REQUESTS`] or one named by [`dead_letters`].
pub fn dead_queue(name: &str) -> Queue {
    Queue {
        name: name.to_owned(),
        len_max: DEAD_MAX,
        bytes_max: DEAD_BYTES_MAX,
        dead_letter: None,
        private: false,
    }
}

fn calls(name: String, dead_letter: String) -> Queue {
    Queue {
        name,
        len_max: CALLS_MAX,
        bytes_max: CALLS_BYTES_MAX,
        dead_letter: Some(dead_letter),
        private: false,
    }
}
