//! `ByStatus`: one value for each class of HTTP statuses.

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// One value for each class of HTTP statuses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByStatus<T>([T; CLASSES.len()]);

impl<T> ByStatus<T> {
    /// That of this status' class. A status out of range counts to the nearest.
    pub fn of(&mut self, status: u16) -> &mut T {
        &mut self.0[usize::from(status / 100).clamp(1, CLASSES.len()) - 1]
    }

    /// All of them with their class as a label, `1xx` first.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        CLASSES.into_iter().zip(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_class() {
        let mut counts = ByStatus::<u64>::default();
        for status in [0, 100, 200, 299, 500, 999] {
            *counts.of(status) += 1;
        }
        assert!(counts.iter().eq([("1xx", &2), ("2xx", &2), ("3xx", &0), ("4xx", &0), ("5xx", &2)]));
    }
}
