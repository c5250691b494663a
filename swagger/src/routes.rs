//! `RouteTable` finds what serves a host and a path: exact host before `*`, longest prefix first.

use std::collections::HashMap;

use crate::{BasePath, HostPattern, host, percent};

/// Routes by host and base path, for lookups that take no lock and rarely allocate.
#[derive(Clone, Debug)]
pub struct RouteTable<T> {
    exact: HashMap<Box<str>, Prefixes<T>>,
    any: Prefixes<T>,
}

/// Two routes claim the same host and base path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two routes claim host {host} and base path {base_path}")]
pub struct Conflict {
    /// The host that both claim.
    pub host: HostPattern,
    /// The base path that both claim.
    pub base_path: BasePath,
}

impl<T> RouteTable<T> {
    /// Builds the table.
    ///
    /// # Errors
    /// The first host and base path that two routes claim.
    pub fn build(
        routes: impl IntoIterator<Item = (HostPattern, BasePath, T)>,
    ) -> Result<RouteTable<T>, Conflict> {
        let mut table = RouteTable { exact: HashMap::new(), any: Prefixes::default() };
        for (host, base_path, value) in routes {
            if !table.prefixes(&host).insert(&base_path, value) {
                return Err(Conflict { host, base_path });
            }
        }
        Ok(table)
    }

    /// The route for a host, which may carry a port, and a raw path.
    pub fn lookup(&self, host: &str, path: &str) -> Option<&T> {
        self.exact
            .get(&*host::normalise(host))
            .and_then(|prefixes| prefixes.longest(path))
            .or_else(|| self.any.longest(path))
    }

    fn prefixes(&mut self, host: &HostPattern) -> &mut Prefixes<T> {
        match host.exact() {
            Some(name) => self.exact.entry(name.into()).or_default(),
            None => &mut self.any,
        }
    }
}

/// A tree of path segments; a node that ends a base path holds its route.
#[derive(Clone, Debug)]
struct Prefixes<T> {
    value: Option<T>,
    children: HashMap<Box<str>, Prefixes<T>>,
}

impl<T> Default for Prefixes<T> {
    fn default() -> Self {
        Prefixes { value: None, children: HashMap::new() }
    }
}

impl<T> Prefixes<T> {
    /// False when the base path is taken.
    fn insert(&mut self, base_path: &BasePath, value: T) -> bool {
        let mut node = self;
        for segment in base_path.segments() {
            node = node.children.entry(segment.as_str().into()).or_default();
        }
        if node.value.is_some() {
            return false;
        }
        node.value = Some(value);
        true
    }

    fn longest(&self, path: &str) -> Option<&T> {
        let Some(path) = path.strip_prefix('/') else {
            return self.value.as_ref().filter(|_| path.is_empty());
        };
        let mut node = self;
        let mut found = node.value.as_ref();
        for raw in path.split('/') {
            if node.children.is_empty() {
                break;
            }
            let Some(child) = percent::decode(raw).and_then(|segment| node.children.get(&*segment)) else {
                break;
            };
            node = child;
            found = node.value.as_ref().or(found);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(routes: &[(&str, &str)]) -> RouteTable<String> {
        RouteTable::build(routes.iter().map(|(host, path)| {
            (HostPattern::parse(host).unwrap(), BasePath::parse(path).unwrap(), format!("{host}{path}"))
        }))
        .unwrap()
    }

    #[test]
    fn exact_host_beats_star() {
        let table = table(&[("*", "/api"), ("a.example", "/api")]);
        assert_eq!(table.lookup("A.example:8080", "/api/x").unwrap(), "a.example/api");
        assert_eq!(table.lookup("b.example", "/api/x").unwrap(), "*/api");
    }

    #[test]
    fn longest_prefix_wins_by_whole_segments() {
        let table = table(&[("*", "/"), ("*", "/api"), ("*", "/api/v1")]);
        assert_eq!(table.lookup("h", "/api/v1/x").unwrap(), "*/api/v1");
        assert_eq!(table.lookup("h", "/api/v10").unwrap(), "*/api");
        assert_eq!(table.lookup("h", "/apix").unwrap(), "*/");
        assert_eq!(table.lookup("h", "/%61pi").unwrap(), "*/api");
    }

    #[test]
    fn exact_host_without_the_prefix_falls_back_to_star() {
        let table = table(&[("*", "/api"), ("a.example", "/other")]);
        assert_eq!(table.lookup("a.example", "/api").unwrap(), "*/api");
        assert_eq!(table.lookup("a.example", "/none"), None);
    }

    #[test]
    fn same_claim_twice_is_a_conflict() {
        let claim = || (HostPattern::ANY, BasePath::parse("/a").unwrap(), ());
        let conflict = RouteTable::build([claim(), claim()]).unwrap_err();
        assert_eq!(conflict.base_path.to_string(), "/a");
    }

    proptest! {
        #[test]
        fn table_agrees_with_trying_every_base_path(
            bases in proptest::collection::btree_set("(/[ab]{1,2}){0,3}", 0..12),
            path in "(/[ab]{1,2}){0,5}/?",
        ) {
            let bases: Vec<BasePath> = bases.iter().map(|text| BasePath::parse(text).unwrap()).collect();
            let table = RouteTable::build(bases.iter().map(|base| (HostPattern::ANY, base.clone(), base.clone()))).unwrap();
            let expected = bases.iter().filter(|base| base.strip(&path).is_some()).max_by_key(|base| base.segments().len());
            prop_assert_eq!(table.lookup("h", &path), expected);
        }
    }
}
