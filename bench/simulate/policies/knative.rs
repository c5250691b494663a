//! A policy like Knative's pod autoscaler, with its documented defaults: 70 % of the concurrency that a
//! container has, a stable window of 60 s, a panic window of 6 s at 200 %, at most halved in one step, every 2 s.
//! It is better off than in Knative: it knows the concurrency exactly and without delay.

use std::collections::VecDeque;

use crate::policy::Policy;
use crate::trace::SECOND;
use crate::world::World;

const TARGET: f64 = 0.7;
const STABLE_WINDOW: u64 = 60 * SECOND;
const PANIC_WINDOW: u64 = 6 * SECOND;
const PANIC_THRESHOLD: f64 = 2.0;
const SCALE_UP_RATE_MAX: usize = 1000;
const SCALE_DOWN_RATE_MAX: usize = 2;
const TICK: u64 = 2 * SECOND;

/// Like Knative.
#[derive(Default)]
pub(crate) struct Knative {
    /// When, and the integral of the concurrency until then.
    points: VecDeque<(u64, u64)>,
    panic_since: Option<u64>,
    panic_runners_max: usize,
}

impl Knative {
    fn concurrency(&self, window: u64) -> f64 {
        let Some((now, last)) = self.points.back().copied() else { return 0.0 };
        let begin = self.points.partition_point(|(at, _)| at + window <= now).saturating_sub(1);
        let (at, first) = self.points.get(begin).copied().unwrap_or((now, last));
        (last - first) as f64 / (now - at).max(1) as f64
    }
}

impl Policy for Knative {
    fn interval(&self) -> u64 {
        TICK
    }

    fn runners(&mut self, world: &World<'_>) -> usize {
        let now = world.now;
        self.points.push_back((now, world.unanswered_micros));
        if self.points.len() < 2 {
            return world.current();
        }
        while self.points.get(1).is_some_and(|(at, _)| at + STABLE_WINDOW <= now) {
            self.points.pop_front();
        }
        let per_runner = TARGET * world.trace.usable;
        let ready = world.ready_count().max(1);
        let needed = |window| (self.concurrency(window) / per_runner).ceil() as usize;
        let (stable, panic) = (needed(STABLE_WINDOW), needed(PANIC_WINDOW));
        let within = |runners: usize| runners.clamp(ready / SCALE_DOWN_RATE_MAX, ready * SCALE_UP_RATE_MAX);
        let is_over = panic as f64 / ready as f64 >= PANIC_THRESHOLD;
        if is_over {
            if self.panic_since.is_none() {
                self.panic_runners_max = 0;
            }
            self.panic_since = Some(now);
        } else if self.panic_since.is_some_and(|since| since + STABLE_WINDOW < now) {
            self.panic_since = None;
        }
        if self.panic_since.is_none() {
            return within(stable);
        }
        // While it panics nothing shrinks.
        self.panic_runners_max = self.panic_runners_max.max(within(stable)).max(within(panic));
        self.panic_runners_max
    }
}
