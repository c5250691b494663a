//! `Counts`: what became of the calls that came through the firehose.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use telemetry::CountBy;
use wire::ProblemKind;

/// What became of the calls that came through the firehose, for whoever looks at metrics.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    dispatched: AtomicU64,
    dead: AtomicU64,
    refused: Mutex<CountBy<ProblemKind>>,
}

impl Counts {
    /// So many calls went to the queue of a Func.
    pub(crate) fn dispatch(&self, calls: usize) {
        self.dispatched.fetch_add(calls as u64, Ordering::Relaxed);
    }

    /// A call is answered by Tron.
    pub(crate) fn refuse(&self, kind: ProblemKind) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).add(kind);
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

    pub(crate) fn refused(&self) -> CountBy<ProblemKind> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
