//! `World`: a broker, a substrate and runners on a virtual clock, event by event.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fastrand::Rng;

use crate::outcome::{Outcome, Turns, Waits};
use crate::policy::Policy;
use crate::queue::{Consumer, Queue};
use crate::reports::Reports;
use crate::runner::{Runner, Shape, State};
use crate::trace::{SECOND, Trace};

mod fleet;

/// How runners are, whoever decides how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) shape: Shape,
    /// Microseconds from the order until a runner takes calls.
    pub(crate) start: u64,
    /// Microseconds until a runner crashes, on average.
    pub(crate) crash: u64,
    /// Microseconds between two reports of a runner.
    pub(crate) report: u64,
    /// Microseconds between two looks at how much waits in the broker.
    pub(crate) look: u64,
    pub(crate) runners_min: usize,
    pub(crate) runners_max: usize,
    /// Microseconds that a request may wait.
    pub(crate) patience: u64,
    pub(crate) seed: u64,
}

/// When there is no use in going on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Requests that may be late.
    pub(crate) late: u64,
    /// What it may cost.
    pub(crate) runner_seconds: f64,
}

impl Limits {
    /// None at all.
    pub(crate) const NONE: Self = Self { late: u64::MAX, runner_seconds: f64::INFINITY };
}

/// How often the substrate is told how many there are to be, and replaces what crashed.
const RECONCILE: u64 = SECOND / 2;
/// How long what is left over when the trace ends may take.
const OVERTIME: u64 = 600 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Done { runner: u32, thread: u16, call: u32 },
    Ready(u32),
    Crash(u32),
    Report(u32),
    Forget(u32),
    Look,
    Decide,
    Reconcile,
    Second,
}

/// All there is while a trace runs.
pub(crate) struct World<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) settings: Settings,
    pub(crate) now: u64,
    pub(crate) queues: Vec<Queue>,
    pub(crate) runners: Vec<Runner>,
    pub(crate) reports: Reports,
    /// Requests that were answered.
    pub(crate) answered: u64,
    /// Requests that have arrived and were not answered, times microseconds.
    unanswered: u64,
    pub(crate) unanswered_micros: u64,
    unanswered_at: u64,
    alive: Vec<u32>,
    wished: usize,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    sequence: u64,
    rng: Rng,
    late: u64,
    waits: Waits,
    turns: Turns,
    runner_micros: u64,
    /// Somewhat less than the runner-seconds so far: to give up what costs too much.
    paid: f64,
    outcome: Outcome,
}

impl<'a> World<'a> {
    /// Runs the trace to its end, beginning with so many runners. None when that goes beyond the limits.
    pub(crate) fn run(
        trace: &'a Trace,
        settings: Settings,
        policy: &mut dyn Policy,
        begin: usize,
        limits: Limits,
    ) -> Option<Outcome> {
        let mut world = Self::new(trace, settings);
        world.begin(policy, begin);
        let mut next = 0;
        loop {
            let arrival = trace.requests.get(next).map(|request| request.at);
            let event = world.events.peek().map(|Reverse((at, ..))| *at);
            let is_over = arrival.is_none() && world.unanswered == 0 && world.now >= world.end();
            if is_over || world.now > world.end() + OVERTIME {
                break;
            }
            if world.late > limits.late || world.paid > limits.runner_seconds {
                return None;
            }
            match (arrival, event) {
                (Some(at), event) if event.is_none_or(|event| at <= event) => {
                    world.advance(at);
                    world.arrive(next as u32);
                    next += 1;
                }
                _ => world.step(policy),
            }
        }
        let outcome = world.finish();
        (outcome.late <= limits.late && outcome.runner_seconds <= limits.runner_seconds).then_some(outcome)
    }

    fn new(trace: &'a Trace, settings: Settings) -> Self {
        Self {
            trace,
            settings,
            now: 0,
            queues: (0..trace.funcs).map(|_| Queue::default()).collect(),
            runners: Vec::new(),
            reports: Reports::new(trace.funcs),
            answered: 0,
            unanswered: 0,
            unanswered_micros: 0,
            unanswered_at: 0,
            alive: Vec::new(),
            wished: 0,
            events: BinaryHeap::new(),
            sequence: 0,
            rng: Rng::with_seed(settings.seed),
            late: 0,
            waits: Waits::new(),
            turns: Turns::default(),
            runner_micros: 0,
            paid: 0.0,
            outcome: Outcome::default(),
        }
    }

    fn begin(&mut self, policy: &dyn Policy, begin: usize) {
        self.reports.is_wanted = policy.reads_reports();
        self.wished = begin;
        for _ in 0..begin {
            let runner = self.order();
            self.ready(runner);
        }
        for event in [Event::Look, Event::Decide, Event::Reconcile, Event::Second] {
            self.schedule(0, event);
        }
    }

    fn end(&self) -> u64 {
        self.trace.seconds * SECOND
    }

    fn schedule(&mut self, after: u64, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((self.now + after, self.sequence, event)));
    }

    fn advance(&mut self, now: u64) {
        self.now = now;
        self.unanswered_micros += (now - self.unanswered_at) * self.unanswered;
        self.unanswered_at = now;
    }

    fn step(&mut self, policy: &mut dyn Policy) {
        let Some(Reverse((at, _, event))) = self.events.pop() else { return };
        self.advance(at);
        match event {
            Event::Done { runner, thread, call } => self.done(runner, thread, call),
            Event::Ready(runner) => self.ready(runner),
            Event::Crash(runner) => self.crash(runner),
            Event::Report(runner) => self.report(runner),
            Event::Forget(runner) => self.reports.end(runner),
            Event::Decide => {
                let (min, max) = (self.settings.runners_min, self.settings.runners_max);
                let (current, leaving) = (self.current(), self.alive.len() - self.current());
                self.reports.list(current, leaving);
                self.wished = policy.runners(self).clamp(min, max);
                if self.now < self.end() {
                    self.turns.see(self.wished);
                }
                self.reconcile();
                self.schedule(policy.interval(), event);
            }
            Event::Look => {
                self.reports.look(&self.queues);
                // A broker takes its time to say.
                let delay = self.rng.u64(0..=self.settings.look / 50);
                self.schedule(self.settings.look + delay, event);
            }
            Event::Reconcile => {
                self.reconcile();
                self.schedule(RECONCILE, event);
            }
            Event::Second => {
                self.record();
                self.schedule(SECOND, event);
            }
        }
    }

    fn record(&mut self) {
        if self.now < self.end() {
            self.outcome.runners.push(self.alive.len() as u32);
            self.paid += self.alive.len() as f64 * 0.99;
        }
    }

    fn report(&mut self, runner: u32) {
        let entry = &mut self.runners[runner as usize];
        if entry.state == State::Ready {
            self.reports.take(runner, entry, self.now);
            self.schedule(self.settings.report, Event::Report(runner));
        }
    }

    fn arrive(&mut self, call: u32) {
        let func = self.trace.requests[call as usize].func as usize;
        self.unanswered += 1;
        self.queues[func].messages.push_back(call);
        self.deliver(func);
    }

    /// Gives messages to consumers in turn, as long as there are both.
    fn deliver(&mut self, func: usize) {
        let prefetch = self.settings.shape.slots;
        while !self.queues[func].messages.is_empty() {
            let Some(consumer) = self.queues[func].consumers.pop_front() else { return };
            let entry = &mut self.runners[consumer.runner as usize];
            if entry.state != State::Ready {
                continue;
            }
            let thread = &mut entry.threads[usize::from(consumer.thread)];
            thread.given[func] += 1;
            let has_room = usize::from(thread.given[func]) < prefetch;
            let Some(call) = self.queues[func].messages.pop_front() else { return };
            if has_room {
                self.queues[func].consumers.push_back(consumer);
            }
            if !self.begin_call(consumer, call) {
                let thread =
                    &mut self.runners[consumer.runner as usize].threads[usize::from(consumer.thread)];
                thread.waiting.push_back(call);
            }
        }
    }

    fn begin_call(&mut self, consumer: Consumer, call: u32) -> bool {
        let request = self.trace.requests[call as usize];
        let (slots, now) = (self.settings.shape.slots, self.now);
        let entry = &mut self.runners[consumer.runner as usize];
        entry.count_busy(now);
        if !entry.threads[usize::from(consumer.thread)].begin(call, request.func, slots) {
            return false;
        }
        let Consumer { runner, thread } = consumer;
        self.schedule(u64::from(request.service), Event::Done { runner, thread, call });
        true
    }

    fn done(&mut self, runner: u32, thread: u16, call: u32) {
        let request = self.trace.requests[call as usize];
        let entry = &mut self.runners[runner as usize];
        if entry.state == State::Gone {
            return;
        }
        entry.count_busy(self.now);
        entry.count_done(request.func, request.service);
        entry.threads[usize::from(thread)].end(call, request.func);
        self.answer(call);
        let consumer = Consumer { runner, thread };
        self.begin_waiting(consumer);
        let entry = &self.runners[runner as usize];
        if entry.state == State::Leaving && entry.is_idle() {
            self.go(runner);
            return;
        }
        let func = request.func as usize;
        // It had room before as well unless it had all that it is given ahead.
        if usize::from(entry.threads[usize::from(thread)].given[func]) + 1 == self.settings.shape.slots {
            self.queues[func].consumers.push_back(consumer);
        }
        self.deliver(func);
    }

    /// A slot is free: who waits for one and may have it begins.
    fn begin_waiting(&mut self, consumer: Consumer) {
        let mut index = 0;
        loop {
            let thread = &self.runners[consumer.runner as usize].threads[usize::from(consumer.thread)];
            let Some(call) = thread.waiting.get(index).copied() else { return };
            if thread.running.len() >= self.settings.shape.slots {
                return;
            }
            if self.begin_call(consumer, call) {
                let thread =
                    &mut self.runners[consumer.runner as usize].threads[usize::from(consumer.thread)];
                thread.waiting.remove(index);
            } else {
                index += 1;
            }
        }
    }

    fn answer(&mut self, call: u32) {
        let request = self.trace.requests[call as usize];
        let wait = self.now - request.at - u64::from(request.service);
        self.answered += 1;
        self.unanswered -= 1;
        self.waits.add(wait);
        if wait > self.settings.patience {
            self.late += 1;
        }
    }

    fn finish(mut self) -> Outcome {
        let end = self.end();
        let alive = self.alive.iter().map(|runner| &self.runners[*runner as usize]);
        let micros: u64 = alive.map(|runner| end.saturating_sub(runner.ordered_at)).sum();
        self.outcome.requests = self.trace.requests.len() as u64;
        self.outcome.unanswered = self.unanswered;
        self.outcome.late = self.late + self.unanswered;
        self.outcome.runner_seconds = (self.runner_micros + micros) as f64 / SECOND as f64;
        self.outcome.turns = self.turns.count;
        self.outcome.wait_p99 = self.waits.quantile(0.99);
        self.outcome
    }
}
