//! `Table`: the routes as the dispatcher looks them up; built whole, never changed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use swagger::{BadBasePath, BadHost, BasePath, Conflict, HostPattern, RouteTable};
use wire::{ActivationId, BundleSha, Namespace, Route};

/// Every route, by namespace, host and base path.
#[derive(Debug, Default)]
pub(crate) struct Table {
    namespaces: HashMap<Namespace, RouteTable<Target>>,
}

/// What serves a route.
#[derive(Debug)]
pub(crate) struct Target {
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
pub(crate) enum BadRoutes {
    #[error(transparent)]
    Host(#[from] BadHost),
    #[error(transparent)]
    BasePath(#[from] BadBasePath),
    #[error(transparent)]
    Conflict(#[from] Conflict),
    #[error("route {0} has no bundle")]
    NoBundle(wire::RouteId),
}

impl Table {
    /// The table of these routes.
    pub(crate) fn build(routes: &[Route]) -> Result<Self, BadRoutes> {
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
        Ok(Self { namespaces })
    }

    /// What serves this path on this host.
    pub(crate) fn lookup(&self, namespace: &Namespace, host: &str, path: &str) -> Option<&Target> {
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
    pub(crate) fn pinned(&self, sha: &BundleSha) -> Option<&Arc<str>> {
        self.bundles.iter().find(|share| share.sha == *sha).map(|share| &share.queue)
    }

    /// The queue that this call's share falls to: the same for every attempt of a call.
    pub(crate) fn choose(&self, activation: ActivationId) -> Option<&Arc<str>> {
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
    use wire::WeightedBundle;

    use super::*;
    use crate::desired::tests::{route, sha};

    fn shared(weights: &[u32]) -> Table {
        let mut route = route("*", "/a", 0);
        route.bundles =
            (0..).zip(weights).map(|(n, weight)| WeightedBundle { sha: sha(n), weight: *weight }).collect();
        Table::build(&[route]).unwrap()
    }

    #[test]
    fn calls_are_shared_by_weight() {
        let table = shared(&[90, 10, 0]);
        let target = table.lookup(&Namespace::default(), "h", "/a/b").unwrap();
        let mut counts: HashMap<&str, u32> = HashMap::new();
        for _ in 0..10_000 {
            *counts.entry(target.choose(ActivationId::generate()).unwrap()).or_default() += 1;
        }
        let count = |n| counts.get(&**target.pinned(&sha(n)).unwrap()).copied().unwrap_or_default();
        assert!((8_700..9_300).contains(&count(0)), "{counts:?}");
        assert_eq!(count(0) + count(1), 10_000);
    }

    #[test]
    fn a_call_stays_with_its_bundle() {
        let table = shared(&[50, 50]);
        let target = table.lookup(&Namespace::default(), "h", "/a").unwrap();
        let call = ActivationId::generate();
        assert!((0..100).all(|_| target.choose(call) == target.choose(call)));
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
