//! `Looks`: when the queues where calls can be were seen to be empty. Pure.

use std::collections::HashMap;
use std::time::Duration;

use wire::Timestamp;

/// Sets of queues that are remembered: many more than there are Funcs. Where there are others, all are forgotten,
/// which costs time alone.
const SETS_MAX: usize = 10_000;

/// When the queues of calls were seen to be empty, all of them at one look.
pub(super) struct Looks {
    /// How far two looks have to be apart to mean anything.
    apart: Duration,
    seen: HashMap<Vec<String>, Seen>,
}

/// Two looks at which all were empty.
struct Seen {
    /// The last one that is known to be far enough back.
    earlier: Option<Timestamp>,
    /// The one that comes to be that.
    later: Timestamp,
}

impl Looks {
    pub(super) fn new(apart: Duration) -> Self {
        Self { apart, seen: HashMap::new() }
    }

    /// Notes that these queues are empty now, and says when they were before, at least so long ago. What they held
    /// in between does not matter: what was in nobody's hands then and is not now has not been there.
    pub(super) fn note(&mut self, queues: &[String], now: Timestamp) -> Option<Timestamp> {
        if let Some(seen) = self.seen.get_mut(queues) {
            if now.since(seen.later) >= self.apart {
                seen.earlier = Some(std::mem::replace(&mut seen.later, now));
            }
            return seen.earlier;
        }
        if self.seen.len() >= SETS_MAX {
            self.forget();
        }
        self.seen.insert(queues.to_vec(), Seen { earlier: None, later: now });
        None
    }

    /// Forgets every look.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_looks_are_far_enough_apart() {
        let mut looks = Looks::new(Duration::from_millis(10));
        let (one, both) = (vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()]);
        let mut note = |queues: &[String], now| looks.note(queues, Timestamp(now));
        assert_eq!(note(&one, 100), None);
        assert_eq!(note(&one, 109), None);
        assert_eq!(note(&both, 109), None);
        assert_eq!(note(&one, 110), Some(Timestamp(100)));
        assert_eq!(note(&one, 119), Some(Timestamp(100)));
        assert_eq!(note(&one, 125), Some(Timestamp(110)));
        assert_eq!(note(&both, 125), Some(Timestamp(109)));
        looks.forget();
        assert_eq!(looks.note(&one, Timestamp(200)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut looks = Looks::new(Duration::ZERO);
        for number in 0..=SETS_MAX {
            looks.note(&[number.to_string()], Timestamp(1));
        }
        assert_eq!(looks.seen.len(), 1);
    }
}
