//! `Backoff`: how long to wait before something is tried again. Pure.

use std::time::Duration;

/// The first wait: most troubles are over by then.
const FIRST: Duration = Duration::from_millis(100);

/// Waits that double until something succeeds.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    next: Duration,
}

impl Backoff {
    /// The longest wait: what comes back is used within seconds, with nobody doing anything.
    pub const LONGEST: Duration = Duration::from_secs(2);

    /// No trouble yet.
    pub fn new() -> Self {
        Self::starting_at(FIRST)
    }

    /// The same, with another first wait.
    pub(crate) fn starting_at(first: Duration) -> Self {
        Self { first, next: first }
    }

    /// How long to wait now.
    pub fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(Self::LONGEST);
        wait
    }

    /// It succeeded: the next trouble is another one.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new();
        let waits: Vec<u128> = (0..6).map(|_| backoff.wait().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 2_000]);
        backoff.reset();
        assert_eq!(backoff.wait(), FIRST);
    }
}
