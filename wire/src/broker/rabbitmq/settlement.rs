//! `Settlement`: which acknowledgements a channel's settled deliveries come to.

use std::collections::BTreeSet;

/// What the broker is to be told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Acks {
    /// Everything up to this one, itself included.
    pub(super) up_to: Option<u64>,
    /// These alone.
    pub(super) single: Vec<u64>,
}

/// The deliveries of one channel, numbered by the broker from 1 without gaps, that are settled.
#[derive(Default)]
pub(super) struct Settlement {
    /// Every delivery up to this one is settled.
    floor: u64,
    /// Those above it that are.
    above: BTreeSet<u64>,
}

impl Settlement {
    /// Notes that the broker was told of these in another way.
    pub(super) fn settled(&mut self, tags: impl IntoIterator<Item = u64>) {
        self.above.extend(tags);
        while self.above.first() == Some(&(self.floor + 1)) {
            self.above.pop_first();
            self.floor += 1;
        }
    }

    /// What to tell the broker when these are acknowledged as well. A single acknowledgement covers what has
    /// nothing unsettled before it. It names one of these, since the broker forgot the others.
    pub(super) fn acks(&mut self, tags: &[u64]) -> Acks {
        self.settled(tags.iter().copied());
        let (below, single): (Vec<u64>, Vec<u64>) = tags.iter().copied().partition(|tag| *tag <= self.floor);
        Acks { up_to: below.into_iter().max(), single }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn acks(up_to: Option<u64>, single: &[u64]) -> Acks {
        Acks { up_to, single: single.to_vec() }
    }

    #[test]
    fn what_is_contiguous_is_acknowledged_at_once() {
        let mut settlement = Settlement::default();
        assert_eq!(settlement.acks(&[2, 1, 3]), acks(Some(3), &[]));
        assert_eq!(settlement.acks(&[5, 6]), acks(None, &[5, 6]));
        assert_eq!(settlement.acks(&[4, 7]), acks(Some(7), &[]));
    }

    #[test]
    fn what_was_given_back_is_not_named_again() {
        let mut settlement = Settlement::default();
        settlement.settled([3]);
        assert_eq!(settlement.acks(&[1, 2]), acks(Some(2), &[]));
        assert_eq!(settlement.acks(&[4]), acks(Some(4), &[]));
    }

    /// The broker as the protocol has it: it forgets what it is told of, and closes the channel over what
    /// it does not know.
    #[derive(Default)]
    struct Outstanding(BTreeSet<u64>);

    impl Outstanding {
        fn told(&mut self, acks: &Acks) -> Vec<u64> {
            let mut gone = Vec::new();
            if let Some(up_to) = acks.up_to {
                assert!(self.0.contains(&up_to), "unknown delivery {up_to}");
                gone.extend(self.0.iter().copied().filter(|tag| *tag <= up_to));
                self.0.retain(|tag| *tag > up_to);
            }
            for tag in &acks.single {
                assert!(self.0.remove(tag), "unknown delivery {tag}");
                gone.push(*tag);
            }
            gone
        }
    }

    proptest! {
        #[test]
        fn each_delivery_is_acknowledged_once_and_no_other(
            order in Just((1..=60u64).collect::<Vec<_>>()).prop_shuffle(),
            sizes in prop::collection::vec(1..9usize, 60),
            returned in prop::collection::btree_set(1..=60u64, 0..10),
        ) {
            let mut broker = Outstanding((1..=60).collect());
            let mut settlement = Settlement::default();
            let mut rest = &order[..];
            for size in sizes {
                let (batch, later) = rest.split_at(size.min(rest.len()));
                rest = later;
                let (back, acked): (Vec<u64>, Vec<u64>) = batch.iter().partition(|tag| returned.contains(tag));
                back.iter().for_each(|tag| assert!(broker.0.remove(tag)));
                settlement.settled(back);
                let mut gone = broker.told(&settlement.acks(&acked));
                gone.sort_unstable();
                let mut acked = acked;
                acked.sort_unstable();
                prop_assert_eq!(gone, acked);
            }
            prop_assert!(broker.0.is_empty());
        }
    }
}
