//! `Queue`: the queue of one Func: what the broker says of it, and how long its calls took lately.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use wire::Labels;
use wire::broker::Depth;

use super::track::More;
use super::{QueueSeen, Tried, WINDOW};

/// What was seen of a queue longer ago is not known any more. Ten thousand queues in turns take that long.
const DEPTH_AGE_MAX: Duration = Duration::from_secs(40);

/// What comes within this time is kept together.
const PART: Duration = Duration::from_secs(1);

/// The queue of one Func.
pub(super) struct Queue {
    /// Since when it is there, if that was noticed.
    pub(super) since: Option<Instant>,
    /// What its Func asks of a runner.
    pub(super) placement: Labels,
    /// What the Func has come to on trial, if it is on trial, and the deployment that this trial began with.
    pub(super) tried: Option<(u64, Tried)>,
    depth: Option<(Depth, Instant)>,
    /// What runners said of the last seconds, the oldest first.
    parts: VecDeque<Part>,
}

struct Part {
    from: Instant,
    more: More,
}

impl Queue {
    /// One of which nothing is known.
    pub(super) fn new(since: Option<Instant>) -> Self {
        let (placement, tried, depth, parts) = Default::default();
        Self { since, placement, tried, depth, parts }
    }

    /// Takes note of what it holds.
    pub(super) fn measure(&mut self, depth: Option<Depth>, now: Instant) {
        self.depth = depth.map(|depth| (depth, now));
    }

    /// Adds what a runner did.
    pub(super) fn add(&mut self, more: &More, now: Instant) {
        if let Some((_, tried)) = &mut self.tried {
            tried.add(more.tried);
        }
        if more.queue_us.count() == 0 && more.service_us.count() == 0 {
            return;
        }
        while self.parts.front().is_some_and(|part| now.duration_since(part.from) > WINDOW) {
            self.parts.pop_front();
        }
        match self.parts.back_mut().filter(|part| now.duration_since(part.from) < PART) {
            Some(part) => part.more.merge(more),
            None => {
                let mut part = Part { from: now, more: More::default() };
                part.more.merge(more);
                self.parts.push_back(part);
            }
        }
    }

    /// Whether it had something to do lately.
    pub(super) fn is_busy(&self, now: Instant) -> bool {
        let waits = self.depth.is_some_and(|(depth, _)| depth.ready > 0);
        waits || self.parts.back().is_some_and(|part| now.duration_since(part.from) <= WINDOW)
    }

    /// What is known of it but for what runners are asked one by one.
    pub(super) fn seen(&self, now: Instant) -> QueueSeen {
        let is_recent = |part: &&Part| now.duration_since(part.from) <= WINDOW;
        let mut all = More::default();
        self.parts.iter().filter(is_recent).for_each(|part| all.merge(&part.more));
        let depth = self.depth.filter(|(_, seen_at)| now.duration_since(*seen_at) <= DEPTH_AGE_MAX);
        QueueSeen {
            placement: self.placement.clone(),
            depth: depth.map(|(depth, _)| depth),
            queue_us: all.queue_us,
            service_us: all.service_us,
            ..QueueSeen::default()
        }
    }
}
