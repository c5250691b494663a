//! `ClusterName`: keeps apart what several clusters run on one engine.

use std::fmt;
use std::str::FromStr;

use wire::PoolName;

/// Names a cluster on engines that run its runners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterName(String);

/// The text names no cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cluster's name must be 1 to 32 of a-z, 0-9 and -, and begin with a letter")]
pub struct InvalidClusterName;

impl ClusterName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What everything of a pool is called. Neither part has a `_` in it, so no two pools share a name.
    pub(crate) fn of_pool(&self, pool: &str) -> String {
        format!("funcatron_{self}_{pool}")
    }
}

impl FromStr for ClusterName {
    type Err = InvalidClusterName;
    fn from_str(text: &str) -> Result<Self, InvalidClusterName> {
        // The same texts are good names for both.
        match PoolName::parse(text) {
            Ok(name) => Ok(Self(name.as_str().to_owned())),
            Err(_invalid) => Err(InvalidClusterName),
        }
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_pools_of_two_clusters_share_a_name() {
        let named = |cluster: &str, pool: &str| cluster.parse::<ClusterName>().unwrap().of_pool(pool);
        assert_ne!(named("a", "b-c"), named("a-b", "c"));
        for text in ["", "A", "a_b", "a/b", "-a", &"a".repeat(33)] {
            assert_eq!(text.parse::<ClusterName>(), Err(InvalidClusterName), "{text}");
        }
    }
}
