//! `CountBy`: how often each of a handful of things was seen.

/// How often each of a handful of things was seen: a look along them costs less than a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountBy<K>(Vec<(K, u64)>);

impl<K: PartialEq> CountBy<K> {
    /// Counts one.
    pub fn add(&mut self, key: K) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, count)) => *count += 1,
            None => self.0.push((key, 1)),
        }
    }

    /// What was seen and how often, in the order in which it was seen first.
    pub fn iter(&self) -> impl Iterator<Item = (&K, u64)> {
        self.0.iter().map(|(key, count)| (key, *count))
    }
}

impl<K> Default for CountBy<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_for_itself() {
        let mut counts = CountBy::default();
        for key in ['b', 'a', 'b'] {
            counts.add(key);
        }
        assert!(counts.iter().eq([(&'b', 2), (&'a', 1)]));
    }
}
