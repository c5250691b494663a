//! `Floor`: Funcs and the runners that they are put on, one copy after the other.

use std::collections::{BTreeMap, VecDeque};

use wire::{FuncAssignment, Labels};

use super::Holders;
use crate::fleet::Runner;

/// Funcs and the runners that they are put on. Both are named by their places.
pub(super) struct Floor<'f> {
    runners: Vec<Place<'f>>,
    funcs: Vec<Scarce<'f>>,
}

/// A runner and what is put on it.
struct Place<'f> {
    runner: &'f Runner,
    /// How many more it can hold.
    room: usize,
    funcs: Vec<usize>,
    /// Whether it is full and nobody could make room on it.
    stuck: bool,
}

/// A Func that not everybody can hold who may.
struct Scarce<'f> {
    func: &'f FuncAssignment,
    /// The runners that may hold it, those that it prefers first.
    wishes: Vec<usize>,
    held_by: Vec<usize>,
    /// Whether it has all that it gets.
    done: bool,
}

impl<'f> Floor<'f> {
    /// Nothing is put anywhere yet. Funcs that everybody can hold who may are left out.
    pub(super) fn new(funcs: &'f [FuncAssignment], runners: &'f [Runner]) -> Self {
        let mut asked: BTreeMap<&Labels, usize> = BTreeMap::new();
        funcs.iter().for_each(|func| *asked.entry(&func.placement).or_default() += 1);
        let mut runners: Vec<Place<'f>> = runners.iter().map(|runner| Place::of(runner, &asked)).collect();
        runners.sort_unstable_by_key(|place| &place.runner.id);
        let seeds: Vec<u64> = runners.iter().map(|place| hash(place.runner.id.as_str())).collect();
        let places: BTreeMap<&Labels, Vec<usize>> = asked
            .into_keys()
            .map(|placement| (placement, matching(&runners, placement)))
            .filter(|(_, places)| places.iter().any(|place| runners[*place].is_bounded()))
            .collect();
        let scarce = |func: &'f FuncAssignment| {
            let mut wishes = places.get(&func.placement)?.clone();
            let seed = hash(&func.queue);
            wishes.sort_by_cached_key(|runner| mix(seed ^ seeds[*runner]));
            Some(Scarce { func, wishes, held_by: Vec::new(), done: false })
        };
        let mut funcs: Vec<Scarce<'f>> = funcs.iter().filter_map(scarce).collect();
        // Those with the least choice come first, or the others would have to make room for them.
        funcs.sort_by_cached_key(|func| (func.wishes.len(), mix(hash(&func.func.queue)), &func.func.queue));
        Self { runners, funcs }
    }

    /// Puts every Func on one more runner, as far as there is room; whether there was any.
    pub(super) fn add_copies(&mut self) -> bool {
        let mut any = false;
        for func in 0..self.funcs.len() {
            if self.funcs[func].done {
                continue;
            }
            let placed = self.place(func);
            self.funcs[func].done = !placed;
            any |= placed;
        }
        any
    }

    /// Who holds what, by names.
    pub(super) fn holders(self) -> Holders {
        let name = |runner: &usize| self.runners[*runner].runner.id.clone();
        let holders = |func: &Scarce<'_>| {
            let mut held_by: Vec<_> = func.held_by.iter().map(name).collect();
            held_by.sort_unstable();
            (func.func.queue.clone(), held_by)
        };
        self.funcs.iter().map(holders).collect()
    }

    fn place(&mut self, func: usize) -> bool {
        let Scarce { wishes, held_by, .. } = &self.funcs[func];
        let free = |runner: &&usize| self.runners[**runner].room > 0 && !held_by.contains(runner);
        match wishes.iter().find(free) {
            Some(runner) => self.put(func, *runner),
            None => return self.make_room(func),
        }
        true
    }

    /// Looks for the shortest way to move others so that one who may hold this Func can, and goes it.
    fn make_room(&mut self, func: usize) -> bool {
        // How each runner would get room: by giving a Func to another one, which would get it likewise.
        let mut ways: BTreeMap<usize, Option<(usize, usize)>> = BTreeMap::new();
        let Scarce { wishes, held_by, .. } = &self.funcs[func];
        let open = |runner: &&usize| !held_by.contains(runner) && !self.runners[**runner].stuck;
        let mut waiting: VecDeque<usize> = wishes.iter().filter(open).copied().collect();
        ways.extend(waiting.iter().map(|runner| (*runner, None)));
        while let Some(from) = waiting.pop_front() {
            for other in &self.runners[from].funcs {
                let Scarce { wishes, held_by, .. } = &self.funcs[*other];
                for to in wishes {
                    if ways.contains_key(to) || self.runners[*to].stuck || held_by.contains(to) {
                        continue;
                    }
                    ways.insert(*to, Some((*other, from)));
                    if self.runners[*to].room > 0 {
                        self.shift(func, *to, &ways);
                        return true;
                    }
                    waiting.push_back(*to);
                }
            }
        }
        // None of these will ever have room: whatever is on them can go to others of them only.
        ways.keys().for_each(|runner| self.runners[*runner].stuck = true);
        false
    }

    fn shift(&mut self, func: usize, free: usize, ways: &BTreeMap<usize, Option<(usize, usize)>>) {
        let mut to = free;
        while let Some(Some((other, from))) = ways.get(&to) {
            self.remove(*other, *from);
            self.put(*other, to);
            to = *from;
        }
        self.put(func, to);
    }

    fn put(&mut self, func: usize, runner: usize) {
        let place = &mut self.runners[runner];
        place.room -= 1;
        place.funcs.push(func);
        self.funcs[func].held_by.push(runner);
    }

    fn remove(&mut self, func: usize, runner: usize) {
        let place = &mut self.runners[runner];
        place.room += 1;
        place.funcs.retain(|other| *other != func);
        self.funcs[func].held_by.retain(|other| *other != runner);
    }
}

impl<'f> Place<'f> {
    /// A runner with nothing on it. It is as good as unbounded if it can hold all that it may.
    fn of(runner: &'f Runner, asked: &BTreeMap<&Labels, usize>) -> Self {
        let may_hold = asked.iter().filter(|(placement, _)| runner.labels.include(placement));
        let load: usize = may_hold.map(|(_, funcs)| funcs).sum();
        let room = runner.funcs_max.filter(|max| *max < load).unwrap_or(usize::MAX);
        Self { runner, room, funcs: Vec::new(), stuck: false }
    }

    fn is_bounded(&self) -> bool {
        self.room < usize::MAX
    }
}

fn matching(runners: &[Place<'_>], placement: &Labels) -> Vec<usize> {
    let places = runners.iter().enumerate();
    places.filter(|(_, place)| place.runner.labels.include(placement)).map(|(number, _)| number).collect()
}

/// FNV-1a, 64 bits: the same in every build, unlike the standard library's.
fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The finalizer of SplitMix64: each bit of what comes out depends on every bit of what went in.
fn mix(seed: u64) -> u64 {
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}
