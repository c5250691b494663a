//! `Counts`: what became of the calls that came through the firehose.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use wire::ProblemKind;

/// What became of the calls that came through the firehose, for whoever looks at metrics.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    dispatched: AtomicU64,
    dead: AtomicU64,
    /// Not many: most calls have a route.
    refused: Mutex<Vec<(ProblemKind, u64)>>,
}

impl Counts {
    /// So many calls went to the queue of a Func.
    pub(crate) fn dispatch(&self, calls: usize) {
        self.dispatched.fetch_add(calls as u64, Ordering::Relaxed);
    }

    /// A call is answered by Tron.
    pub(crate) fn refuse(&self, kind: ProblemKind) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match refused.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => refused.push((kind, 1)),
        }
    }

    /// A line was given up.
    pub(crate) fn bury(&self) {
        self.dead.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dispatched(&self) -> u64 {
        self.dispatched.load(Ordering::Relaxed)
    }

    pub(crate) fn dead(&self) -> u64 {
        self.dead.load(Ordering::Relaxed)
    }

    pub(crate) fn refused(&self) -> Vec<(ProblemKind, u64)> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
