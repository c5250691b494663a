//! What the policy is shown: the statistics in its terms. Pure.

use std::collections::{BTreeMap, BTreeSet};

use scaling::{FuncSample, RunnerSample, ServiceSample, Stats};
use tokio::time::Instant;
use wire::{Labels, PoolName};

use super::survey::Found;
use crate::stats::{FuncSeen, RunnerSeen, Snapshot};

/// What is known, as the policy needs it. `placements` says what Funcs ask of a runner, by queue.
pub(super) fn stats(
    snapshot: &Snapshot,
    placements: &BTreeMap<String, Labels>,
    pools: &[scaling::Pool],
    found: &Found,
    now: Instant,
) -> Stats {
    let anywhere = Labels::default();
    let funcs = snapshot.queues.iter().map(|(queue, seen)| {
        let placement = placements.get(queue).unwrap_or(&anywhere);
        let backlog = seen.depth.map(|depth| depth.ready).unwrap_or_default();
        FuncSample {
            queue: queue.clone(),
            home: scaling::home(placement, pools).map(|pool| pool.name().clone()),
            backlog: u64::try_from(backlog).unwrap_or(u64::MAX),
        }
    });
    Stats {
        funcs: funcs.collect(),
        runners: snapshot.runners.iter().map(runner).collect(),
        listings: pools.iter().map(|pool| (pool.name().clone(), found.listing(pool.name(), now))).collect(),
    }
}

/// The instances that serve.
pub(super) fn ready(snapshot: &Snapshot) -> BTreeSet<String> {
    let serving = snapshot.runners.iter().filter(|runner| serves(runner));
    serving.filter_map(|runner| runner.instance.clone()).collect()
}

/// How many runners of a pool serve.
pub(super) fn ready_count(snapshot: &Snapshot, pool: &PoolName) -> usize {
    let of_pool = snapshot.runners.iter().filter(|runner| runner.pool.as_ref() == Some(pool));
    of_pool.filter(|runner| serves(runner)).count()
}

/// Whether it takes calls: it has loaded what it was told, whatever it could not, and was not told to leave.
fn serves(runner: &RunnerSeen) -> bool {
    runner.version > 0 && !runner.leaving
}

fn runner(seen: &RunnerSeen) -> RunnerSample {
    RunnerSample {
        pool: seen.pool.clone(),
        slots: seen.slots,
        threads: seen.threads,
        ready: serves(seen),
        busy: seen.busy,
        cpu: seen.cpu,
        waiting: seen.waiting,
        services: seen.funcs.iter().map(|(queue, func)| (queue.clone(), service(func))).collect(),
    }
}

fn service(func: &FuncSeen) -> ServiceSample {
    let FuncSeen { calls, ended, deliveries, service, cpu, .. } = *func;
    // Of calls none of which has ended nobody knows how long they take.
    let calls = if ended == 0 { 0 } else { calls };
    ServiceSample { calls, deliveries, service, cpu }
}
