//! `Table`: the routes as calls are looked up in them; built whole, never changed.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use swagger::{BadBasePath, BadHost, BasePath, Conflict, HostPattern, RouteTable};
use wire::{ActivationId, BundleSha, Namespace, Route};

use crate::Call;

/// Every route, by namespace, host and base path.
#[derive(Debug, Default)]
pub struct Table {
    namespaces: Arc<HashMap<Namespace, RouteTable<Target>>>,
    unserved: BTreeMap<String, String>,
}

/// What serves a route.
#[derive(Debug)]
struct Target {
    bundles: Vec<Share>,
    weight_sum: u64,
}

/// A bundle's queue and its share of the calls.
#[derive(Debug)]
struct Share {
    sha: BundleSha,
    queue: Arc<str>,
    weight: u64,
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

    /// The same routes, of whose queues nobody serves these, with the reason.
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
            None => target.choose(call.activation),
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
    let bundles: Vec<Share> = route
        .bundles
        .iter()
        .map(|bundle| Share {
            sha: bundle.sha.clone(),
            queue: route.queue(&bundle.sha).into(),
            weight: bundle.weight.into(),
        })
        .collect();
    let weight_sum = bundles.iter().map(|share| share.weight).sum();
    Ok(Target { bundles, weight_sum })
}

impl Target {
    /// The queue of this bundle, if the route has it.
    fn pinned(&self, sha: &BundleSha) -> Option<&Arc<str>> {
        self.bundles.iter().find(|share| share.sha == *sha).map(|share| &share.queue)
    }

    /// The queue that this call's share falls to: the same for every attempt of a call.
    fn choose(&self, activation: ActivationId) -> Option<&Arc<str>> {
        if let [only] = self.bundles.as_slice() {
            return Some(&only.queue);
        }
        let mut point = hash(activation).checked_rem(self.weight_sum)?;
        for share in &self.bundles {
            match point.checked_sub(share.weight) {
                None => return Some(&share.queue),
                Some(rest) => point = rest,
            }
        }
        None
    }
}

fn hash(activation: ActivationId) -> u64 {
    let mut hasher = DefaultHasher::new();
    activation.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use wire::{Labels, RouteId, WeightedBundle};

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
        Table::build(&[route]).unwrap()
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
