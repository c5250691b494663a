//! `Pause`: how long to wait before the next try.

use std::time::Duration;

use crate::Backoff;

/// Soon enough that a connection that was cut is back before a caller gives up.
const FIRST: Duration = Duration::from_millis(50);

/// Pauses that grow, each by chance between a half and the whole of its length, so that members that lost
/// the broker together do not come back together.
pub(super) struct Pause(Backoff);

impl Default for Pause {
    fn default() -> Self {
        Self(Backoff::starting_at(FIRST))
    }
}

impl Pause {
    pub(super) fn next(&mut self) -> Duration {
        let whole = self.0.wait();
        // The low bits of a v4 UUID are as random as anything, and need no crate of their own.
        let chance = u32::from(uuid::Uuid::new_v4().into_bytes()[15]);
        whole / 2 + whole * chance / 512
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_vary() {
        let mut pause = Pause::default();
        let first = pause.next();
        assert!(first >= FIRST / 2 && first <= FIRST);
        let later: Vec<_> = (0..50).map(|_| pause.next()).skip(10).collect();
        assert!(later.iter().all(|pause| *pause >= Backoff::LONGEST / 2 && *pause <= Backoff::LONGEST));
        assert!(later.iter().any(|pause| *pause != later[0]));
    }
}
