//! `Statistics`: what runners report and what the broker's queues hold, merged: for whoever scales and whoever
//! looks. Pure but for its lock; depths are looked at by [`Depths`].

mod depths;
pub(crate) mod overview;
mod queue;
mod runner;
mod snapshot;
mod track;
mod tried;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wire::broker::Depth;
use wire::{Heartbeat, Labels, MemberId, PoolReport};

use crate::members::MEMBERS_MAX;
use crate::round::Round;
use queue::Queue;
use runner::Runner;

pub(crate) use depths::Depths;
pub(crate) use snapshot::{FuncSeen, QueueSeen, RunnerSeen, Snapshot};
pub(crate) use tried::Tried;

/// The time that rates and quantiles are of: long enough for a steady number, short enough to follow what a
/// person does. As long as runners report a Func that rests.
const WINDOW: Duration = Duration::from_secs(10);

/// Queues that are looked at in one turn. Each costs the broker some tens of microseconds, and calls come first.
const LOOKS_MAX: usize = 256;
/// So many of them at most are of those that had something to do; the others are not to be forgotten over them.
const BUSY_LOOKS_MAX: usize = 192;

/// What is known of runners and queues.
pub(crate) struct Statistics {
    merged: Mutex<Merged>,
    /// Who was silent for longer is forgotten.
    silence_max: Duration,
}

struct Merged {
    /// The queues of all Funcs. Nothing is kept of others, whoever reports them.
    queues: BTreeMap<String, Queue>,
    /// Whether we have been told of queues before, so that those that come are new.
    is_attentive: bool,
    runners: BTreeMap<MemberId, Runner>,
    /// The pools of Trons that scale, and when each of them said so.
    pools: BTreeMap<MemberId, (Vec<PoolReport>, Instant)>,
    busy_looks: Round,
    other_looks: Round,
}

impl Statistics {
    pub(crate) fn new(silence_max: Duration) -> Self {
        let merged = Merged {
            queues: BTreeMap::new(),
            is_attentive: false,
            runners: BTreeMap::new(),
            pools: BTreeMap::new(),
            busy_looks: Round::new(BUSY_LOOKS_MAX),
            other_looks: Round::new(LOOKS_MAX),
        };
        Self { merged: Mutex::new(merged), silence_max }
    }

    /// Takes note of which queues Funcs have, and what each Func asks of a runner.
    pub(crate) fn expect(&self, queues: BTreeMap<String, Labels>, now: Instant) {
        let mut merged = self.merged();
        // What is there when we begin may have been there for long.
        let since = std::mem::replace(&mut merged.is_attentive, true).then_some(now);
        merged.queues.retain(|queue, _| queues.contains_key(queue));
        merged.runners.values_mut().for_each(|runner| runner.retain(|queue| queues.contains_key(queue), now));
        for (queue, placement) in queues {
            merged.queues.entry(queue).or_insert_with(|| Queue::new(since)).placement = placement;
        }
    }

    /// Takes note of what a member reports. The time is ours: members' clocks may differ.
    pub(crate) fn observe(&self, heartbeat: &Heartbeat, now: Instant) {
        self.merged().observe(heartbeat, now);
    }

    /// Forgets who has been silent for too long.
    pub(crate) fn forget(&self, now: Instant) {
        let is_heard = |heard_at: Instant| now.duration_since(heard_at) <= self.silence_max;
        let mut merged = self.merged();
        merged.runners.retain(|_, runner| is_heard(runner.heard_at()));
        merged.pools.retain(|_, (_, heard_at)| is_heard(*heard_at));
    }

    /// The queues whose turn it is to be looked at: those that have something to do first, and of many some.
    pub(crate) fn next_looks(&self, now: Instant) -> Vec<String> {
        self.merged().next_looks(now)
    }

    /// Takes note of what a queue holds; nothing, when it is not there.
    pub(crate) fn measure(&self, queue: &str, depth: Option<Depth>, now: Instant) {
        if let Some(queue) = self.merged().queues.get_mut(queue) {
            queue.measure(depth, now);
        }
    }

    /// Counts from now on what the Funcs of these queues come to on the trials that began with these deployments, and
    /// of no others. What is known of one of these trials stays.
    pub(crate) fn try_out(&self, on_trial: &HashMap<String, u64>) {
        for (name, queue) in &mut self.merged().queues {
            let began = on_trial.get(name).copied();
            if queue.tried.map(|(began, _)| began) != began {
                queue.tried = began.map(|began| (began, Tried::default()));
            }
        }
    }

    /// What the Func of a queue has come to on the trial that began with this deployment.
    pub(crate) fn tried(&self, queue: &str, began: u64) -> Tried {
        let tried = self.merged().queues.get(queue).and_then(|queue| queue.tried);
        tried.filter(|(ours, _)| *ours == began).map(|(_, tried)| tried).unwrap_or_default()
    }

    /// All that is known now.
    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        self.merged().snapshot(now)
    }

    fn merged(&self) -> MutexGuard<'_, Merged> {
        self.merged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Merged {
    fn observe(&mut self, heartbeat: &Heartbeat, now: Instant) {
        let Heartbeat { member, runner, pools, .. } = heartbeat;
        if pools.is_empty() {
            self.pools.remove(member);
        } else if self.pools.len() < MEMBERS_MAX {
            self.pools.insert(member.clone(), (pools.clone(), now));
        }
        let Some(report) = runner else { return };
        if self.runners.len() >= MEMBERS_MAX && !self.runners.contains_key(member) {
            return;
        }
        let runner = self.runners.entry(member.clone()).or_insert_with(|| Runner::new(heartbeat, now));
        for (name, stats) in &report.funcs {
            if let Some(queue) = self.queues.get_mut(name) {
                let more = runner.count(name, queue.since, stats, now);
                queue.add(&more, now);
            }
        }
        runner.hear(heartbeat, report, now);
    }

    fn next_looks(&mut self, now: Instant) -> Vec<String> {
        let (busy, others): (Vec<_>, Vec<_>) = self.queues.iter().partition(|(_, queue)| queue.is_busy(now));
        let busy = self.busy_looks.next(&busy);
        let others = self.other_looks.next_within(&others, LOOKS_MAX - busy.len());
        busy.iter().chain(others).map(|(name, _)| (*name).clone()).collect()
    }

    fn snapshot(&self, now: Instant) -> Snapshot {
        let mut queues: BTreeMap<String, QueueSeen> =
            self.queues.iter().map(|(name, queue)| (name.clone(), queue.seen(now))).collect();
        let mut runners = Vec::with_capacity(self.runners.len());
        for runner in self.runners.values() {
            let seen = runner.seen(now);
            for (name, func) in &seen.funcs {
                if let Some(queue) = queues.get_mut(name) {
                    queue.add(func);
                }
            }
            runners.push(seen);
        }
        // Two lead for a moment at most; who spoke last is more likely to go on.
        let pools = self.pools.values().max_by_key(|(_, heard_at)| *heard_at);
        Snapshot { runners, queues, pools: pools.map(|(pools, _)| pools.clone()).unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests;
