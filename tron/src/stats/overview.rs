//! What routes do at present and cost, from what is known of queues and runners. Pure.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::Duration;

use wire::admin::{Deployment, Quantiles, RouteStats};
use wire::{Histogram, PoolName, PoolReport, Route, WeightedBundle};

use super::{QueueSeen, RunnerSeen, Snapshot};

/// What each route of a deployment does, without its title.
pub(crate) fn routes(deployment: &Deployment, snapshot: &Snapshot) -> Vec<RouteStats> {
    let costs = Costs::of(snapshot);
    let describe = |route: &Route| {
        let prefix = format!("func.{}.", route.id);
        // Those of bundles that were replaced included: their calls are the route's.
        let seen = beginning(&snapshot.queues, &prefix).fold(Sum::default(), Sum::with);
        let serves = |runner: &&RunnerSeen| serves(runner, route, deployment.number);
        RouteStats {
            id: route.id.clone(),
            host: route.host.clone(),
            base_path: route.base_path.clone(),
            title: None,
            rate: seen.queue.rate,
            failures: seen.queue.failures,
            queued: seen.ready,
            waiting: seen.queue.waiting,
            in_flight: seen.queue.in_flight,
            queue_ms: quantiles(&seen.queue.queue_us),
            service_ms: quantiles(&seen.queue.service_us),
            cpu_ms: (seen.queue.ended > 0.0).then(|| seen.queue.cpu / seen.queue.ended * 1e3),
            runners: snapshot.runners.iter().filter(serves).count(),
            cost_per_call: costs.per_call(&prefix),
        }
    };
    let mut routes: Vec<_> = deployment.routes.iter().map(describe).collect();
    routes.sort_by(|a, b| (&a.host, &a.base_path).cmp(&(&b.host, &b.base_path)));
    routes
}

/// What an operator has to look at.
pub(crate) fn alarms(deployment: &Deployment, snapshot: &Snapshot) -> Vec<String> {
    let of_pool = |pool: &PoolReport| Some(format!("pool {}: {}", pool.name, pool.alarm.as_ref()?));
    let of_route = |route: &Route| {
        let may_run = |runner: &&RunnerSeen| {
            runner.version >= deployment.number && bundles(runner, route).next().is_some()
        };
        let runners = snapshot.runners.iter().filter(may_run);
        let mut failures = runners.map(|runner| {
            let failed = |bundle: &WeightedBundle| runner.failed.get(&route.queue(&bundle.sha));
            route.bundles.iter().find_map(failed)
        });
        let why = failures.next()??;
        let everywhere = failures.all(|failure| failure.is_some());
        everywhere.then(|| format!("{}{}: no runner could load it: {why}", host(route), route.base_path))
    };
    let of_routes = deployment.routes.iter().filter_map(of_route);
    snapshot.pools.iter().filter_map(of_pool).chain(of_routes).collect()
}

/// The routes of which nobody can run a bundle, and why.
pub(crate) fn unserved(deployment: &Deployment, unserved: &BTreeMap<String, String>) -> Vec<String> {
    let of_route = |route: &Route| {
        let mut queues = route.bundles.iter().map(|bundle| route.queue(&bundle.sha));
        let why = queues.find_map(|queue| unserved.get(&queue))?;
        Some(format!("{}{}: {why}", host(route), route.base_path))
    };
    deployment.routes.iter().filter_map(of_route).collect()
}

fn host(route: &Route) -> &str {
    if route.host == "*" { "" } else { &route.host }
}

/// Whether a runner takes calls of a route.
fn serves(runner: &RunnerSeen, route: &Route, deployment: u64) -> bool {
    let is_loaded = |bundle: &WeightedBundle| !runner.failed.contains_key(&route.queue(&bundle.sha));
    !runner.leaving && runner.version >= deployment && bundles(runner, route).any(is_loaded)
}

/// The bundles of a route that a runner has the labels for.
fn bundles<'r>(runner: &'r RunnerSeen, route: &'r Route) -> impl Iterator<Item = &'r WeightedBundle> {
    route.bundles.iter().filter(|bundle| runner.labels.include(&bundle.placement))
}

/// What the queues of a route come to together.
#[derive(Default)]
struct Sum {
    queue: QueueSeen,
    ready: Option<u64>,
}

impl Sum {
    fn with(mut self, other: &QueueSeen) -> Self {
        if let Some(depth) = other.depth {
            let ready = u64::try_from(depth.ready).unwrap_or(u64::MAX);
            self.ready = Some(self.ready.unwrap_or_default().saturating_add(ready));
        }
        let queue = &mut self.queue;
        queue.rate += other.rate;
        queue.failures += other.failures;
        queue.ended += other.ended;
        queue.cpu += other.cpu;
        queue.in_flight = queue.in_flight.saturating_add(other.in_flight);
        queue.waiting = queue.waiting.saturating_add(other.waiting);
        queue.queue_us.merge(&other.queue_us);
        queue.service_us.merge(&other.service_us);
        self
    }
}

/// What runners of pools that have a price did, and what that costs.
struct Costs<'s> {
    /// Runners with their cost in a second.
    runners: Vec<(&'s RunnerSeen, f64)>,
}

impl<'s> Costs<'s> {
    fn of(snapshot: &'s Snapshot) -> Self {
        let priced = snapshot.pools.iter().filter(|pool| pool.cost_per_hour > 0.0);
        let prices: HashMap<&PoolName, f64> =
            priced.map(|pool| (&pool.name, pool.cost_per_hour / HOUR.as_secs_f64())).collect();
        let priced = |runner: &'s RunnerSeen| Some((runner, *prices.get(runner.pool.as_ref()?)?));
        Self { runners: snapshot.runners.iter().filter_map(priced).collect() }
    }

    /// What a call from queues with this prefix costs: a runner's price is shared by how long calls held its slots.
    fn per_call(&self, prefix: &str) -> Option<f64> {
        let (mut cost, mut calls) = (0.0, 0.0);
        for (runner, price) in &self.runners {
            let all: f64 = runner.funcs.values().map(|func| func.busy).sum();
            for func in beginning(&runner.funcs, prefix).filter(|func| func.ended > 0 && func.busy > 0.0) {
                cost += price * func.busy / all;
                calls += func.per_second(func.ended);
            }
        }
        (calls > 0.0).then(|| cost / calls)
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Those of the queues whose names begin with this: they lie together.
fn beginning<'s, T>(queues: &'s BTreeMap<String, T>, prefix: &str) -> impl Iterator<Item = &'s T> {
    let from = (Bound::Included(prefix), Bound::Unbounded);
    queues.range::<str, _>(from).take_while(move |(name, _)| name.starts_with(prefix)).map(|(_, queue)| queue)
}

fn quantiles(micros: &Histogram) -> Option<Quantiles> {
    #[allow(clippy::cast_precision_loss, reason = "it is known to 6 % anyway")]
    let millis = |micros: u64| micros as f64 / 1e3;
    Some(Quantiles { p50: millis(micros.quantile(0.5)?), p99: millis(micros.quantile(0.99)?) })
}

#[cfg(test)]
mod tests {
    use wire::broker::Depth;
    use wire::{BundleSha, Labels, Namespace, RouteId, Timestamp};

    use super::*;
    use crate::stats::FuncSeen;

    fn route(base_path: &str, bundles: &[&[u8]]) -> Route {
        let namespace = Namespace::default();
        let bundles = bundles.iter().map(|bytes| WeightedBundle {
            sha: BundleSha::of(bytes),
            weight: 50,
            placement: Labels::default(),
            trial: None,
        });
        Route {
            id: RouteId::of(&namespace, "*", base_path),
            namespace,
            host: "*".into(),
            base_path: base_path.into(),
            bundles: bundles.collect(),
            props: serde_json::Map::new(),
            outbound: Vec::new(),
        }
    }

    fn deployment(routes: Vec<Route>) -> Deployment {
        Deployment { number: 7, at: Timestamp(0), by: String::new(), action: String::new(), routes }
    }

    fn runner(pool: &str, funcs: &[(String, f64)]) -> RunnerSeen {
        let func =
            |busy: f64| FuncSeen { time: Duration::from_secs(10), ended: 100, busy, ..FuncSeen::default() };
        RunnerSeen {
            pool: Some(PoolName::parse(pool).unwrap()),
            instance: None,
            labels: Labels::default(),
            version: 7,
            failed: BTreeMap::new(),
            leaving: false,
            threads: 1,
            slots: 32,
            busy: 0.0,
            cpu: 0.0,
            waiting: 0,
            funcs: funcs.iter().map(|(queue, busy)| (queue.clone(), func(*busy))).collect(),
        }
    }

    fn pool(name: &str, cost_per_hour: f64) -> PoolReport {
        PoolReport {
            name: PoolName::parse(name).unwrap(),
            labels: Labels::default(),
            substrate: "process".into(),
            runners_min: 0,
            runners_max: 1,
            wanted: 1,
            running: None,
            ready: 1,
            why: String::new(),
            alarm: None,
            cost_per_hour,
        }
    }

    #[test]
    fn the_bundles_of_a_route_are_added_up_one_that_was_replaced_included() {
        let route = route("/a", &[b"new", b"other"]);
        let seen = |ready, rate| {
            let mut seen = QueueSeen { rate, ended: rate, cpu: 0.5, in_flight: 1, ..QueueSeen::default() };
            seen.depth = Some(Depth { ready, ..Depth::default() });
            seen.service_us.add(12_000);
            seen
        };
        let queue = |bytes: &[u8]| route.queue(&BundleSha::of(bytes));
        let queues = [
            (queue(b"new"), seen(1, 10.0)),
            (queue(b"other"), seen(2, 20.0)),
            (queue(b"old"), seen(4, 70.0)),
        ];
        let snapshot = Snapshot { queues: BTreeMap::from(queues), ..Snapshot::default() };
        let stats = routes(&deployment(vec![route]), &snapshot).remove(0);
        assert_eq!((stats.queued, stats.in_flight), (Some(7), 3));
        assert!((stats.rate - 100.0).abs() < 0.01 && (stats.cpu_ms.unwrap() - 15.0).abs() < 0.01);
        assert!((stats.service_ms.unwrap().p50 - 12.0).abs() < 0.75, "{stats:?}");
        assert_eq!((stats.queue_ms, stats.cost_per_call), (None, None));
    }

    #[test]
    fn a_route_about_which_nothing_is_known_is_there() {
        let stats =
            routes(&deployment(vec![route("/b", &[b"b"]), route("/a", &[b"a"])]), &Snapshot::default());
        let paths: Vec<_> = stats.iter().map(|stats| (stats.base_path.as_str(), stats.queued)).collect();
        assert_eq!(paths, [("/a", None), ("/b", None)]);
    }

    #[test]
    fn runners_serve_what_they_have_loaded_and_until_they_leave() {
        let route = route("/a", &[b"a"]);
        let queue = route.queue(&BundleSha::of(b"a"));
        let behind = RunnerSeen { version: 6, ..runner("p", &[]) };
        let leaving = RunnerSeen { leaving: true, ..runner("p", &[]) };
        let failed =
            RunnerSeen { failed: BTreeMap::from([(queue, "no memory".to_owned())]), ..runner("p", &[]) };
        let deployment = deployment(vec![route]);
        let runners = vec![runner("p", &[]), behind.clone(), leaving, failed.clone()];
        let snapshot = Snapshot { runners, ..Snapshot::default() };
        assert_eq!(routes(&deployment, &snapshot)[0].runners, 1);
        assert!(alarms(&deployment, &snapshot).is_empty());
        let snapshot = Snapshot { runners: vec![behind, failed], ..Snapshot::default() };
        assert_eq!(alarms(&deployment, &snapshot), ["/a: no runner could load it: no memory"]);
    }

    #[test]
    fn runners_serve_what_they_have_the_labels_for() {
        let mut route = route("/a", &[b"a"]);
        route.bundles[0].placement = "gpu=true".parse().unwrap();
        let gpu = RunnerSeen { labels: "gpu=true".parse().unwrap(), ..runner("p", &[]) };
        let failed = BTreeMap::from([(route.queue(&BundleSha::of(b"a")), "no memory".to_owned())]);
        let deployment = deployment(vec![route]);
        let snapshot = Snapshot { runners: vec![runner("p", &[]), gpu.clone()], ..Snapshot::default() };
        assert_eq!(routes(&deployment, &snapshot)[0].runners, 1);
        let runners = vec![runner("p", &[]), RunnerSeen { failed, ..gpu }];
        let snapshot = Snapshot { runners, ..Snapshot::default() };
        assert_eq!(alarms(&deployment, &snapshot), ["/a: no runner could load it: no memory"]);
    }

    #[test]
    fn a_runner_s_price_is_shared_by_how_long_calls_held_it() {
        let (a, b) = (route("/a", &[b"a"]), route("/b", &[b"b"]));
        let (of_a, of_b) = (a.queue(&BundleSha::of(b"a")), b.queue(&BundleSha::of(b"b")));
        let runners =
            vec![runner("dear", &[(of_a.clone(), 3.0), (of_b, 1.0)]), runner("free", &[(of_a, 9.0)])];
        let pools = vec![pool("dear", 3_600.0), pool("free", 0.0)];
        let snapshot = Snapshot { runners, pools, ..Snapshot::default() };
        let stats = routes(&deployment(vec![a, b]), &snapshot);
        let costs: Vec<_> = stats.iter().map(|stats| stats.cost_per_call.unwrap()).collect();
        // One unit in a second, for ten calls in a second each.
        assert!((costs[0] - 0.075).abs() < 1e-9 && (costs[1] - 0.025).abs() < 1e-9, "{costs:?}");
    }
}
