//! A runner as the simulation has it: threads with slots, which prefetch from every queue.

use std::collections::VecDeque;

use wire::RunnerReport;

/// What a runner is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) threads: usize,
    /// Of one thread; as many messages of each queue it is given ahead.
    pub(crate) slots: usize,
}

impl Shape {
    /// Slots of all threads that can be held at once when the largest Func makes for this part of the work.
    pub(crate) fn usable(self, part: f64) -> f64 {
        let held = RunnerReport::SLOTS_HELD_PER_FREE as f64;
        (self.slots as f64 * held / (held + part)).ceil().min(self.slots as f64) * self.threads as f64
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Starting,
    Ready,
    /// Takes nothing new, finishes what it has.
    Leaving,
    Gone,
}

/// One runner.
pub(crate) struct Runner {
    pub(crate) state: State,
    /// When it was asked for: from then on it costs.
    pub(crate) ordered_at: u64,
    pub(crate) threads: Vec<Thread>,
    /// Slot-microseconds that were held until `busy_at`.
    busy: u64,
    busy_at: u64,
    /// Calls by Func that ended since the report before, and how long they held their slots.
    pub(crate) done: Vec<(u64, u64)>,
    pub(crate) touched: Vec<u32>,
    pub(crate) reported_at: u64,
    pub(crate) busy_reported: u64,
}

/// One thread of a runner.
pub(crate) struct Thread {
    /// Calls that run.
    pub(crate) running: Vec<u32>,
    /// Calls that wait for a slot.
    pub(crate) waiting: VecDeque<u32>,
    /// Of each Func, calls that it was given, and that run.
    pub(crate) given: Vec<u16>,
    held: Vec<u16>,
}

impl Runner {
    pub(crate) fn new(shape: Shape, funcs: usize, now: u64) -> Self {
        let thread = || Thread {
            running: Vec::new(),
            waiting: VecDeque::new(),
            given: vec![0; funcs],
            held: vec![0; funcs],
        };
        Self {
            state: State::Starting,
            ordered_at: now,
            threads: (0..shape.threads).map(|_| thread()).collect(),
            busy: 0,
            busy_at: now,
            done: vec![(0, 0); funcs],
            touched: Vec::new(),
            reported_at: now,
            busy_reported: 0,
        }
    }

    /// Counts the slots that were held until now. To be called before that changes.
    pub(crate) fn count_busy(&mut self, now: u64) -> u64 {
        let running: usize = self.threads.iter().map(|thread| thread.running.len()).sum();
        self.busy += (now - self.busy_at) * running as u64;
        self.busy_at = now;
        self.busy
    }

    pub(crate) fn count_done(&mut self, func: u32, service: u32) {
        let Some((calls, micros)) = self.done.get_mut(func as usize) else { return };
        if *calls == 0 {
            self.touched.push(func);
        }
        *calls += 1;
        *micros += u64::from(service);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.threads.iter().all(|thread| thread.running.is_empty() && thread.waiting.is_empty())
    }

    /// Gives up all memory that only a runner that lives needs.
    pub(crate) fn bury(&mut self) {
        self.state = State::Gone;
        self.threads = Vec::new();
        self.done = Vec::new();
        self.touched = Vec::new();
    }
}

impl Thread {
    /// Begins the call if its Func may have another slot.
    pub(crate) fn begin(&mut self, call: u32, func: u32, slots: usize) -> bool {
        let free = slots - self.running.len();
        let held = &mut self.held[func as usize];
        if usize::from(*held) >= free * RunnerReport::SLOTS_HELD_PER_FREE {
            return false;
        }
        *held += 1;
        self.running.push(call);
        true
    }

    /// Ends a call.
    pub(crate) fn end(&mut self, call: u32, func: u32) {
        if let Some(index) = self.running.iter().position(|running| *running == call) {
            self.running.swap_remove(index);
        }
        self.held[func as usize] -= 1;
        self.given[func as usize] -= 1;
    }
}
