//! What the policy is shown: the statistics in its terms. Pure.

use std::collections::BTreeSet;

use scaling::{FuncSample, RunnerSample, ServiceSample, Stats};
use tokio::time::Instant;
use wire::PoolName;

use super::survey::Found;
use crate::stats::{FuncSeen, RunnerSeen, Snapshot};

/// What is known, as the policy needs it.
pub(super) fn stats(snapshot: &Snapshot, pools: &[scaling::Pool], found: &Found, now: Instant) -> Stats {
    let funcs = snapshot.queues.iter().map(|(queue, seen)| {
        let backlog = seen.depth.map(|depth| depth.ready).unwrap_or_default();
        FuncSample {
            queue: queue.clone(),
            home: scaling::home(&seen.placement, pools).map(|pool| pool.name().clone()),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use scaling::{Pool, PoolConfig};
    use wire::broker::Depth;

    use super::*;
    use crate::stats::QueueSeen;

    fn pool(name: &str, labels: &str) -> Pool {
        let config = PoolConfig::new(PoolName::parse(name).unwrap());
        Pool::new(PoolConfig { labels: labels.parse().unwrap(), ..config }).unwrap()
    }

    fn runner(instance: &str, version: u64, leaving: bool) -> RunnerSeen {
        RunnerSeen {
            pool: Some(PoolName::parse("default").unwrap()),
            instance: Some(instance.to_owned()),
            labels: wire::Labels::default(),
            version,
            failed: BTreeMap::new(),
            leaving,
            threads: 1,
            slots: 32,
            busy: 0.0,
            cpu: 0.0,
            waiting: 0,
            funcs: BTreeMap::new(),
        }
    }

    #[test]
    fn what_waits_for_a_gpu_is_the_work_of_the_pool_that_has_some() {
        let depth = Some(Depth { ready: 7, ..Depth::default() });
        let queue = |placement: &str| QueueSeen {
            placement: placement.parse().unwrap(),
            depth,
            ..QueueSeen::default()
        };
        let queues =
            BTreeMap::from(["", "gpu=true", "gpu=false"].map(|asked| (asked.to_owned(), queue(asked))));
        let snapshot = Snapshot { queues, ..Snapshot::default() };
        let pools = [pool("default", ""), pool("gpu", "gpu=true")];
        let stats = stats(&snapshot, &pools, &Found::default(), Instant::now());
        let homes: Vec<_> =
            stats.funcs.iter().map(|func| (func.home.as_ref().map(PoolName::as_str), func.backlog)).collect();
        assert_eq!(homes, [(Some("default"), 7), (None, 7), (Some("gpu"), 7)]);
    }

    #[test]
    fn who_loads_and_who_leaves_does_not_serve() {
        let runners = vec![runner("a", 3, false), runner("b", 0, false), runner("c", 3, true)];
        let snapshot = Snapshot { runners, ..Snapshot::default() };
        assert_eq!(ready(&snapshot), ["a".to_owned()].into());
        assert_eq!(ready_count(&snapshot, &PoolName::parse("default").unwrap()), 1);
    }
}
