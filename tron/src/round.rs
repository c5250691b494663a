//! `Round`: which of many are looked at this time, so that all of them are in turns.

/// Goes through a list that may change meanwhile.
#[derive(Debug)]
pub(crate) struct Round {
    len_max: usize,
    from: usize,
}

impl Round {
    /// Takes at most so many at a time.
    pub(crate) fn new(len_max: usize) -> Self {
        Self { len_max, from: 0 }
    }

    /// The next ones; after the last, the first again.
    pub(crate) fn next<'t, T>(&mut self, all: &'t [T]) -> &'t [T] {
        self.next_within(all, self.len_max)
    }

    /// The same, but fewer of them if there is room for so many only.
    pub(crate) fn next_within<'t, T>(&mut self, all: &'t [T], room: usize) -> &'t [T] {
        let rest = all.get(self.from..).filter(|rest| !rest.is_empty());
        let (from, rest) = rest.map_or((0, all), |rest| (self.from, rest));
        let taken = &rest[..rest.len().min(self.len_max).min(room)];
        self.from = from + taken.len();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_has_a_turn() {
        let mut round = Round::new(2);
        let turns: Vec<&[i32]> = (0..4).map(|_| round.next(&[1, 2, 3])).collect();
        assert_eq!(turns, [&[1, 2][..], &[3], &[1, 2], &[3]]);
    }

    #[test]
    fn a_list_that_shrinks_is_begun_again() {
        let mut round = Round::new(2);
        round.next(&[1, 2, 3, 4]);
        assert_eq!(round.next(&[1]), &[1]);
        assert!(round.next::<i32>(&[]).is_empty());
        assert_eq!(round.next(&[5, 6]), &[5, 6]);
    }
}
