//! What runners report, and the broker says, as the policy under test is given it.

use std::collections::BTreeMap;
use std::time::Duration;

use scaling::{FuncSample, Listing, RunnerSample, ServiceSample, Stats};
use wire::PoolName;

use crate::queue::Queue;
use crate::runner::{Runner, Shape};

/// The stats of the cluster, kept up to date.
pub(crate) struct Reports {
    /// Reports cost time: only who reads them has them made.
    pub(crate) is_wanted: bool,
    pub(crate) stats: Stats,
    runners: Vec<u32>,
    names: Vec<String>,
}

/// The one pool of the simulation.
pub(crate) fn pool_name() -> Option<PoolName> {
    PoolName::parse("default").ok()
}

impl Reports {
    pub(crate) fn new(funcs: usize) -> Self {
        let names: Vec<String> = (0..funcs).map(|func| format!("func.{func}")).collect();
        let funcs =
            names.iter().map(|name| FuncSample { queue: name.clone(), home: pool_name(), backlog: 0 });
        let stats = Stats { funcs: funcs.collect(), ..Stats::default() };
        Self { is_wanted: false, stats, runners: Vec::new(), names }
    }

    /// A runner says at once that it takes calls.
    pub(crate) fn begin(&mut self, runner: u32, shape: Shape) {
        self.runners.push(runner);
        self.stats.runners.push(RunnerSample {
            pool: pool_name(),
            slots: shape.slots * shape.threads,
            threads: shape.threads,
            ready: true,
            ..RunnerSample::default()
        });
    }

    /// And at once that it leaves.
    pub(crate) fn leave(&mut self, runner: u32) {
        if let Some(sample) = self.sample(runner) {
            sample.ready = false;
        }
    }

    pub(crate) fn end(&mut self, runner: u32) {
        if let Some(index) = self.runners.iter().position(|known| *known == runner) {
            self.runners.swap_remove(index);
            self.stats.runners.swap_remove(index);
        }
    }

    /// Takes a runner's report on the time since the one before.
    pub(crate) fn take(&mut self, runner: u32, entry: &mut Runner, now: u64) {
        if !self.is_wanted {
            return;
        }
        let busy = entry.count_busy(now);
        let micros = now.saturating_sub(entry.reported_at).max(1) as f64;
        let mut services = BTreeMap::new();
        for func in entry.touched.drain(..) {
            let (calls, held) = std::mem::take(&mut entry.done[func as usize]);
            let service = Duration::from_micros(held / calls.max(1));
            let sample = ServiceSample { calls, deliveries: calls, service, cpu: Duration::ZERO };
            services.insert(self.names[func as usize].clone(), sample);
        }
        let waiting: usize = entry.threads.iter().map(|thread| thread.waiting.len()).sum();
        if let Some(sample) = self.sample(runner) {
            sample.busy = (busy - entry.busy_reported) as f64 / micros;
            sample.waiting = waiting as u64;
            sample.services = services;
        }
        entry.busy_reported = busy;
        entry.reported_at = now;
    }

    /// What the substrate says now.
    pub(crate) fn list(&mut self, current: usize, leaving: usize) {
        let listing = Listing::Known { current, leaving, failed: 0 };
        self.stats.listings = pool_name().into_iter().map(|name| (name, listing)).collect();
    }

    /// What the broker says now.
    pub(crate) fn look(&mut self, queues: &[Queue]) {
        for (func, queue) in self.stats.funcs.iter_mut().zip(queues) {
            func.backlog = queue.messages.len() as u64;
        }
    }

    fn sample(&mut self, runner: u32) -> Option<&mut RunnerSample> {
        let index = self.runners.iter().position(|known| *known == runner)?;
        self.stats.runners.get_mut(index)
    }
}
