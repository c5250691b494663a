//! `Table`: the routes as calls are looked up in them; built whole, never changed.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use swagger::{BadBasePath, BadHost, BasePath, Conflict, HostPattern, RouteTable};
use wire::{ActivationId, BundleSha, Namespace, Route, WeightedBundle};

use crate::Call;

/// Every route, by namespace, host and base path.
#[derive(Debug, Default)]
pub struct Table {
    namespaces: Arc<HashMap<Namespace, RouteTable<Target>>>,
    unserved: BTreeMap<String, String>,
}

/// What serves a route.
#[derive(Debug)]
struct Target(Vec<Share>);

/// A bundle's queue and its share of the calls.
#[derive(Debug)]
struct Share {
    sha: BundleSha,
    queue: Arc<str>,
    weight: u64,
    is_on_trial: bool,
}

/// Routes that no table can be built from.
#[derive(Debug, thiserror::Error)]
pub enum BadRoutes {
    /// A host is none.
    #[error(transparent)]
    Host(#[from] BadHost),
    /// A base path is none.
    #[error(transparent)]
    BasePath(#[from] BadBasePath),
    /// Two routes claim the same place.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// A route has nothing that serves it.
    #[error("route {0} has no bundle")]
    NoBundle(wire::RouteId),
}

/// Why a call belongs in no queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// There is no such route.
    #[error("no route has this host and path")]
    NoRoute,
    /// The bundle that is asked for is not on the route.
    #[error("the route has no such bundle")]
    NoBundle,
}

impl Table {
    /// The table of these routes.
    ///
    /// # Errors
    /// When they contradict each other, or one of them is none.
    pub fn build(routes: &[Route]) -> Result<Self, BadRoutes> {
        let mut by_namespace: HashMap<Namespace, Vec<_>> = HashMap::new();
        for route in routes {
            let entry =
                (HostPattern::parse(&route.host)?, BasePath::parse(&route.base_path)?, target(route)?);
            by_namespace.entry(route.namespace.clone()).or_default().push(entry);
        }
        let namespaces = by_namespace
            .into_iter()
            .map(|(namespace, entries)| Ok((namespace, RouteTable::build(entries)?)))
            .collect::<Result<_, Conflict>>()?;
        Ok(Self { namespaces: Arc::new(namespaces), unserved: BTreeMap::new() })
    }

    /// The same routes, of whose queues nobody serves these, with the reason. A bundle on trial has no share of the
    /// calls meanwhile.
    #[must_use]
    pub fn with_unserved(&self, unserved: BTreeMap<String, String>) -> Self {
        Self { namespaces: Arc::clone(&self.namespaces), unserved }
    }

    /// The queues that nobody serves at present, and why.
    pub fn unserved(&self) -> &BTreeMap<String, String> {
        &self.unserved
    }

    /// The queue that the call belongs in: that of the bundle it asks for, or of its share of the route.
    ///
    /// # Errors
    /// When no route, or no bundle on it, is the call's.
    pub fn queue(&self, call: &Call<'_>) -> Result<&Arc<str>, Miss> {
        let target = self.lookup(call.namespace, call.host, call.path).ok_or(Miss::NoRoute)?;
        let queue = match call.bundle {
            Some(sha) => target.pinned(sha),
            None => target.choose(call.activation, &self.unserved),
        };
        queue.ok_or(Miss::NoBundle)
    }

    fn lookup(&self, namespace: &Namespace, host: &str, path: &str) -> Option<&Target> {
        self.namespaces.get(namespace)?.lookup(host, path)
    }
}

fn target(route: &Route) -> Result<Target, BadRoutes> {
    if route.bundles.is_empty() {
        return Err(BadRoutes::NoBundle(route.id.clone()));
    }
    let share = |bundle: &WeightedBundle| Share {
        sha: bundle.sha.clone(),
        queue: route.queue(&bundle.sha).into(),
        weight: bundle.weight.into(),
        is_on_trial: bundle.trial.is_some(),
    };
    Ok(Target(route.bundles.iter().map(share).collect()))
}

impl Target {
    /// The queue of this bundle, if the route has it.
    fn pinned(&self, sha: &BundleSha) -> Option<&Arc<str>> {
        self.0.iter().find(|share| share.sha == *sha).map(|share| &share.queue)
    }

    /// The queue that this call's share falls to: the same for every attempt of a call.
    fn choose(&self, activation: ActivationId, unserved: &BTreeMap<String, String>) -> Option<&Arc<str>> {
        if let [only] = self.0.as_slice() {
            return Some(&only.queue);
        }
        let takes_part = |share: &&Share| !(share.is_on_trial && unserved.contains_key(&*share.queue));
        let weight_sum = self.0.iter().filter(takes_part).map(|share| share.weight).sum();
        let mut point = hash(activation).checked_rem(weight_sum);
        let chosen = self.0.iter().filter(takes_part).find(|share| {
            point = point.and_then(|point| point.checked_sub(share.weight));
            point.is_none()
        });
        chosen.map(|share| &share.queue)
    }
}

fn hash(activation: ActivationId) -> u64 {
    let mut hasher = DefaultHasher::new();
    activation.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wire::{Labels, Percent, RouteId, Trial};

    use super::*;

    fn sha(n: u8) -> BundleSha {
        BundleSha::of(&[n])
    }

    /// A route that bundle `n` serves alone.
    fn route(host: &str, base_path: &str, n: u8) -> Route {
        let namespace = Namespace::default();
        Route {
            id: RouteId::of(&namespace, host, base_path),
            namespace,
            host: host.to_owned(),
            base_path: base_path.to_owned(),
            bundles: vec![WeightedBundle {
                sha: sha(n),
                weight: 100,
                placement: Labels::default(),
                trial: None,
            }],
            props: Default::default(),
            outbound: Vec::new(),
        }
    }

    /// `/a`, shared by bundles 0, 1, …
    fn shared(weights: &[u32]) -> Table {
        Table::build(&[shared_route(weights)]).unwrap()
    }

    fn shared_route(weights: &[u32]) -> Route {
        let mut route = route("*", "/a", 0);
        route.bundles = (0..)
            .zip(weights)
            .map(|(n, weight)| WeightedBundle {
                sha: sha(n),
                weight: *weight,
                placement: Labels::default(),
                trial: None,
            })
            .collect();
        route
    }

    /// Where a call of this path goes.
    fn queue(table: &Table, path: &str, bundle: Option<&BundleSha>) -> Result<String, Miss> {
        let (namespace, activation) = (&Namespace::default(), ActivationId::generate());
        table.queue(&Call { namespace, host: "h", path, bundle, activation }).map(ToString::to_string)
    }

    #[test]
    fn a_call_goes_to_the_longest_base_path() {
        let (outer, inner) = (route("*", "/a", 0), route("*", "/a/b", 1));
        let table = Table::build(&[outer.clone(), inner.clone()]).unwrap();
        assert_eq!(queue(&table, "/a/b/c", None), Ok(inner.queue(&sha(1))));
        assert_eq!(queue(&table, "/a/bc", None), Ok(outer.queue(&sha(0))));
        assert_eq!(queue(&table, "/b", None), Err(Miss::NoRoute));
    }

    #[test]
    fn calls_are_shared_by_weight() {
        let table = shared(&[90, 10, 0]);
        let mut counts: HashMap<String, u32> = HashMap::new();
        for _ in 0..10_000 {
            *counts.entry(queue(&table, "/a/b", None).unwrap()).or_default() += 1;
        }
        let count = |n| counts.get(&route("*", "/a", n).queue(&sha(n))).copied().unwrap_or_default();
        assert!((8_700..9_300).contains(&count(0)), "{counts:?}");
        assert_eq!(count(0) + count(1), 10_000);
    }

    #[test]
    fn a_bundle_on_trial_has_no_share_while_nobody_serves_it() {
        let mut route = shared_route(&[0, 40, 60]);
        route.bundles[2].trial = Some(Trial {
            mirror: Percent::NONE,
            failures_max: Percent::NONE,
            differences_max: Percent::NONE,
            calls_min: 1,
            began: 1,
        });
        let queues = [0, 1, 2].map(|n| route.queue(&sha(n)));
        let table = Table::build(&[route]).unwrap();
        let seen =
            |table: &Table| (0..100).map(|_| queue(table, "/a", None).unwrap()).collect::<BTreeSet<_>>();
        assert_eq!(seen(&table), [queues[1].clone(), queues[2].clone()].into());
        let unserved = |n: usize| BTreeMap::from([(queues[n].clone(), "nobody has it".to_owned())]);
        let without = table.with_unserved(unserved(2));
        assert_eq!(seen(&without), [queues[1].clone()].into());
        assert_eq!(queue(&without, "/a", Some(&sha(2))), Ok(queues[2].clone()), "it is asked for");
        assert_eq!(seen(&table.with_unserved(unserved(1))).len(), 2, "what is trusted keeps its share");
    }

    #[test]
    fn a_call_that_asks_for_a_bundle_gets_it_or_nothing() {
        let table = shared(&[100, 0]);
        assert_eq!(queue(&table, "/a", Some(&sha(1))), Ok(route("*", "/a", 1).queue(&sha(1))));
        assert_eq!(queue(&table, "/a", Some(&sha(7))), Err(Miss::NoBundle));
    }

    #[test]
    fn a_call_stays_with_its_bundle() {
        let table = shared(&[50, 50]);
        let (namespace, activation) = (&Namespace::default(), ActivationId::generate());
        let call = Call { namespace, host: "h", path: "/a", bundle: None, activation };
        assert!((0..100).all(|_| table.queue(&call) == table.queue(&call)));
    }

    #[test]
    fn namespaces_do_not_see_each_other() {
        let table = shared(&[100]);
        assert!(table.lookup(&Namespace::parse("other").unwrap(), "h", "/a").is_none());
    }

    #[test]
    fn routes_that_contradict_each_other_make_no_table() {
        assert!(Table::build(&[route("*", "/a", 0), route("*", "/a/", 1)]).is_err());
        assert!(Table::build(&[route("a b", "/a", 0)]).is_err());
        let mut empty = route("*", "/a", 0);
        empty.bundles.clear();
        assert!(Table::build(&[empty]).is_err());
    }
}
