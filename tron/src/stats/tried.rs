//! `Tried`: what a Func has come to since it is on trial.

use wire::FuncStats;

/// What a Func has come to since it is on trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tried {
    /// Calls of clients that ended.
    pub(crate) calls: u64,
    /// Those of them that failed.
    pub(crate) failures: u64,
    /// Copies that were compared.
    pub(crate) compared: u64,
    /// Those of them that were answered otherwise.
    pub(crate) different: u64,
}

impl Tried {
    /// What a runner has added between two reports, in which so many calls ended.
    pub(super) fn between(before: &FuncStats, now: &FuncStats, ended: u64) -> Self {
        let failures = now.failures.saturating_sub(before.failures);
        Self {
            // Those that failed before they were begun are not among those that ended.
            calls: ended.max(failures),
            failures,
            compared: now.compared.saturating_sub(before.compared),
            different: now.different.saturating_sub(before.different),
        }
    }

    /// Adds what a runner has done. Whatever it says, nothing overflows.
    pub(super) fn add(&mut self, more: Self) {
        self.calls = self.calls.saturating_add(more.calls);
        self.failures = self.failures.saturating_add(more.failures);
        self.compared = self.compared.saturating_add(more.compared);
        self.different = self.different.saturating_add(more.different);
    }
}
