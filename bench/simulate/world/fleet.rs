//! Runners come and go.

use std::cmp::Reverse;

use super::{Event, World};
use crate::queue::Consumer;
use crate::random::exponential;
use crate::runner::{Runner, State};
use crate::trace::SECOND;

impl World<'_> {
    /// Runners that are to stay, those that start included.
    pub(crate) fn current(&self) -> usize {
        let stays =
            |runner: &&u32| matches!(self.runners[**runner as usize].state, State::Starting | State::Ready);
        self.alive.iter().filter(stays).count()
    }

    /// Runners that take calls.
    pub(crate) fn ready_count(&self) -> usize {
        self.alive.iter().filter(|runner| self.runners[**runner as usize].state == State::Ready).count()
    }

    /// The substrate brings about what was wished.
    pub(super) fn reconcile(&mut self) {
        let current = self.current();
        for _ in current..self.wished {
            let runner = self.order();
            self.schedule(self.settings.start, Event::Ready(runner));
        }
        // The youngest go first: what still starts, then what has begun last.
        let surplus = current.saturating_sub(self.wished);
        let state = |runner: &u32| self.runners[*runner as usize].state;
        let stays =
            self.alive.iter().rev().filter(|runner| matches!(state(runner), State::Starting | State::Ready));
        for runner in stays.copied().take(surplus).collect::<Vec<u32>>() {
            match self.runners[runner as usize].state {
                State::Starting => self.bury(runner),
                _ => self.leave(runner),
            }
        }
    }

    pub(super) fn order(&mut self) -> u32 {
        let runner = self.runners.len() as u32;
        self.runners.push(Runner::new(self.settings.shape, self.trace.funcs, self.now));
        self.alive.push(runner);
        runner
    }

    pub(super) fn ready(&mut self, runner: u32) {
        let entry = &mut self.runners[runner as usize];
        if entry.state != State::Starting {
            return;
        }
        entry.state = State::Ready;
        entry.reported_at = self.now;
        entry.count_busy(self.now);
        let crash = exponential(&mut self.rng, self.settings.crash as f64) as u64;
        self.schedule(crash, Event::Crash(runner));
        self.reports.begin(runner, self.settings.shape);
        let phase = self.rng.u64(0..self.settings.report);
        self.schedule(phase, Event::Report(runner));
        for func in 0..self.queues.len() {
            for thread in 0..self.settings.shape.threads as u16 {
                self.queues[func].consumers.push_back(Consumer { runner, thread });
            }
            self.deliver(func);
        }
    }

    fn leave(&mut self, runner: u32) {
        self.runners[runner as usize].state = State::Leaving;
        self.reports.leave(runner);
        if self.runners[runner as usize].is_idle() {
            self.go(runner);
        }
    }

    /// It has finished, and says so.
    pub(super) fn go(&mut self, runner: u32) {
        self.bury(runner);
        self.reports.end(runner);
    }

    fn bury(&mut self, runner: u32) {
        let entry = &mut self.runners[runner as usize];
        let until = self.now.min(self.trace.seconds * SECOND);
        self.runner_micros += until.saturating_sub(entry.ordered_at);
        entry.bury();
        self.alive.retain(|alive| *alive != runner);
    }

    /// What it was given goes back to the heads of the queues.
    pub(super) fn crash(&mut self, runner: u32) {
        let entry = &mut self.runners[runner as usize];
        if !matches!(entry.state, State::Ready | State::Leaving) {
            return;
        }
        let given = entry
            .threads
            .iter_mut()
            .flat_map(|thread| thread.running.drain(..).chain(thread.waiting.drain(..)));
        let mut calls: Vec<u32> = given.collect();
        calls.sort_unstable_by_key(|call| Reverse(*call));
        self.bury(runner);
        // Nobody says so: what it said last is believed until it was silent for three reports.
        self.schedule(3 * self.settings.report, Event::Forget(runner));
        for call in calls {
            let func = self.trace.requests[call as usize].func as usize;
            self.queues[func].messages.push_front(call);
            self.deliver(func);
        }
    }
}
