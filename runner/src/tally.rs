//! `Tally`: what a runner has done for one Func, counted while it does it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use telemetry::Context;
use wire::{Activation, FuncStats, ProblemKind};

use crate::operations::Operations;

/// What all threads of a runner have done for one Func, whichever of its deployments it was.
pub(crate) struct Tally {
    /// Held for some nanoseconds, four times a call.
    counts: Mutex<Counts>,
    /// Held once a call, and while it is copied for whoever looks at metrics.
    operations: Mutex<Operations>,
    /// What moments are counted from.
    epoch: Instant,
}

#[derive(Default)]
struct Counts {
    /// As reported; but `busy_us` is only of calls that have ended.
    stats: FuncStats,
    /// When those calls began that run, added up.
    began_us: u64,
    /// How often something changed here.
    changes: u64,
}

/// One call of a Func, from when it waits for room until it is over, however it ends.
pub(crate) struct Counted<'t> {
    tally: &'t Tally,
    stage: Stage,
}

enum Stage {
    Waits,
    Runs { began_us: u64 },
    Over,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { counts: Mutex::default(), operations: Mutex::default(), epoch: Instant::now() }
    }

    /// Counts a message with so many calls.
    pub(crate) fn arrive(&self, calls: usize) {
        let mut counts = self.counts();
        counts.stats.deliveries += 1;
        counts.stats.arrivals += calls as u64;
    }

    /// Counts a call that waits for room from now on.
    pub(crate) fn wait(&self) -> Counted<'_> {
        self.counts().stats.waiting += 1;
        Counted { tally: self, stage: Stage::Waits }
    }

    /// Counts a call that failed and was not begun.
    pub(crate) fn fail(&self) {
        self.counts().stats.failures += 1;
    }

    /// Counts a call that has ended, whether it was begun or not.
    pub(crate) fn note(&self, record: &Activation, error: Option<ProblemKind>, traced: Option<Context>) {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner).count(record, error, traced);
    }

    /// What became of all calls, by operation.
    pub(crate) fn operations(&self) -> Operations {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a copy of a call that was compared with it.
    pub(crate) fn compare(&self, differs: bool) {
        let mut counts = self.counts();
        counts.stats.compared += 1;
        counts.stats.different += u64::from(differs);
    }

    /// All of it, and a number that is another one when any of it has changed.
    pub(crate) fn report(&self) -> (FuncStats, u64) {
        let now = self.now_us();
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stats = counts.stats.clone();
        let running = (now * stats.in_flight).saturating_sub(counts.began_us);
        stats.busy_us += running;
        (stats, counts.changes)
    }

    /// What is about to change.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.changes += 1;
        counts
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Counted<'_> {
    /// There is room, and the call holds it.
    pub(crate) fn begin(&mut self) {
        let began_us = self.tally.now_us();
        let mut counts = self.tally.counts();
        counts.stats.waiting -= 1;
        counts.stats.in_flight += 1;
        counts.began_us += began_us;
        self.stage = Stage::Runs { began_us };
    }

    /// The call came to this. A replay counts with what it took of the runner, and with nothing else.
    pub(crate) fn end(mut self, record: &Activation) {
        let Stage::Runs { began_us } = std::mem::replace(&mut self.stage, Stage::Over) else { return };
        let now_us = self.tally.now_us();
        let mut counts = self.tally.counts();
        counts.release(began_us, now_us);
        let stats = &mut counts.stats;
        stats.cpu_us += record.cpu_us;
        if record.replay_of.is_none() {
            stats.failures += u64::from(record.status >= 500);
            stats.queue_us.add(record.queued_ms.saturating_mul(1000));
            stats.service_us.add(record.service_us);
        }
    }
}

impl Counts {
    /// A call holds its room no longer.
    fn release(&mut self, began_us: u64, now_us: u64) {
        self.stats.in_flight -= 1;
        self.began_us -= began_us;
        self.stats.busy_us += now_us.saturating_sub(began_us);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        match self.stage {
            Stage::Waits => self.tally.counts().stats.waiting -= 1,
            Stage::Runs { began_us } => {
                let now_us = self.tally.now_us();
                self.tally.counts().release(began_us, now_us);
            }
            Stage::Over => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_call_that_is_cut_off_is_nowhere_any_more() {
        let tally = Tally::new();
        drop(tally.wait());
        let mut running = tally.wait();
        running.begin();
        assert_eq!((tally.report().0.waiting, tally.report().0.in_flight), (0, 1));
        drop(running);
        let stats = tally.report().0;
        assert_eq!((stats.waiting, stats.in_flight, stats.service_us.count()), (0, 0, 0));
    }

    #[test]
    fn room_counts_while_it_is_held() {
        let epoch = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        let tally = Tally { epoch, ..Tally::new() };
        let mut running = tally.wait();
        running.begin();
        let before = tally.report().0.busy_us;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(2) {}
        let during = tally.report().0.busy_us;
        assert!(during >= before + 2_000, "{before} {during}");
        drop(running);
        let after = tally.report().0.busy_us;
        assert!((during..during + 1_000_000).contains(&after), "{during} {after}");
    }
}
