//! Which runners hold which Funcs when they cannot all hold all. Pure.
//!
//! Rendezvous hashing (Thaler and Ravishankar, 1998): each Func prefers the runners in an order of its own, so that one
//! that comes or goes moves what is its own and little else. With a bound for each runner, as in consistent hashing with
//! bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2018): who is full is passed over. Where everybody is whom a Func
//! may run on, one of them makes room by what others can take (an augmenting path, as in bipartite matching).

mod floor;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use wire::{FuncAssignment, MemberId};

use crate::fleet::Runner;
use floor::Floor;

/// Runners that hold one Func, at most: each is named in a message that everybody hears.
const COPIES_MAX: usize = 32;

/// The runners that hold each Func which not everybody can hold who may, by its queue.
pub(crate) type Holders = BTreeMap<String, Vec<MemberId>>;

/// Shares Funcs out to runners. The same ones come to the same result, in whatever order they are given.
///
/// Every Func is held once if there is room at all, then by a second runner, and so on.
pub(crate) fn share(funcs: &[FuncAssignment], runners: &[Runner]) -> Holders {
    let mut floor = Floor::new(funcs, runners);
    for _ in 0..COPIES_MAX {
        if !floor.add_copies() {
            break;
        }
    }
    floor.holders()
}
