//! `Tallies`: the tally of every Func that a runner has or had, and what of it is worth reporting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wire::FuncStats;

use crate::tally::Tally;

/// For how long a Func is reported of that has nothing to do: longer than the window in which rates are
/// taken, so that it is seen to rest.
const RESTING_MAX: Duration = Duration::from_secs(10);

/// Funcs in one report, some 1 KiB each: more have their turn in the next ones, which lose nothing by that.
const REPORTED_MAX: usize = 256;

/// The tallies of a runner.
#[derive(Default)]
pub(crate) struct Tallies {
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    /// By queue.
    all: BTreeMap<String, Entry>,
    /// How many there have been.
    count: u64,
    /// Where the next turn begins, when not all can be reported at once.
    turn: usize,
}

struct Entry {
    /// Counted from the first one on.
    number: u64,
    tally: Arc<Tally>,
    /// What it had counted when something had changed last, and when that was seen.
    changes: u64,
    changed_at: Instant,
}

impl Tallies {
    /// The tally of what comes from this queue: the same one for as long as it is heard of.
    pub(crate) fn of(&self, queue: &str) -> Arc<Tally> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Entries { all, count, .. } = &mut *entries;
        let entry = all.entry(queue.to_owned()).or_insert_with(|| {
            *count += 1;
            Entry { number: *count, tally: Arc::new(Tally::new()), changes: 0, changed_at: Instant::now() }
        });
        entry.tally.clone()
    }

    /// Every Func that it has or had lately, the one that was heard of first first.
    pub(crate) fn all(&self) -> Vec<(String, Arc<Tally>)> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = entries.all.iter().collect();
        all.sort_by_key(|(_, entry)| entry.number);
        all.into_iter().map(|(queue, entry)| (queue.clone(), entry.tally.clone())).collect()
    }

    /// What was done for the Funcs that had something to do lately.
    pub(crate) fn busy(&self, now: Instant) -> BTreeMap<String, FuncStats> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let funcs = entries.busy(now);
        entries.all.retain(|_, entry| Arc::strong_count(&entry.tally) > 1 || !entry.rests(now));
        funcs
    }
}

impl Entries {
    /// Those that had something to do lately; of many, the next ones.
    fn busy(&mut self, now: Instant) -> BTreeMap<String, FuncStats> {
        let looked = self.all.iter_mut().map(|(queue, entry)| (queue, entry.look(now)));
        let mut busy: Vec<_> = looked.filter_map(|(queue, stats)| Some((queue.clone(), stats?))).collect();
        if busy.len() > REPORTED_MAX {
            let turn = self.turn % busy.len();
            self.turn = turn + REPORTED_MAX;
            busy.rotate_left(turn);
            busy.truncate(REPORTED_MAX);
        }
        busy.into_iter().collect()
    }
}

impl Entry {
    /// What was counted, unless it rests.
    fn look(&mut self, now: Instant) -> Option<FuncStats> {
        let (stats, changes) = self.tally.report();
        if changes != self.changes || stats.in_flight > 0 || stats.waiting > 0 {
            (self.changes, self.changed_at) = (changes, now);
        }
        (changes > 0 && !self.rests(now)).then_some(stats)
    }

    fn rests(&self, now: Instant) -> bool {
        now.duration_since(self.changed_at) > RESTING_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_func_is_reported_while_it_has_something_to_do_and_some_time_beyond() {
        let (tallies, start) = (Tallies::default(), Instant::now());
        let tally = tallies.of("func.a.b");
        let reported = |seconds| tallies.busy(start + Duration::from_secs(seconds)).len();
        assert_eq!(reported(0), 0);
        tally.arrive(3);
        let mut call = tally.wait();
        assert_eq!([reported(1), reported(100)], [1, 1], "it waits");
        call.begin();
        assert_eq!(reported(200), 1, "it runs");
        drop(call);
        assert_eq!([reported(201), reported(211), reported(212)], [1, 1, 0]);
        tally.arrive(1);
        let funcs = tallies.busy(start + Duration::from_secs(300));
        assert_eq!(funcs["func.a.b"].arrivals, 4, "it all still counts");
    }

    #[test]
    fn a_func_that_is_loaded_anew_goes_on_and_one_that_went_away_is_forgotten() {
        let (tallies, start) = (Tallies::default(), Instant::now());
        tallies.of("func.a.b").arrive(1);
        tallies.busy(start);
        tallies.of("func.a.b").arrive(1);
        assert_eq!(tallies.busy(start)["func.a.b"].arrivals, 2);
        tallies.busy(start + RESTING_MAX * 2);
        assert_eq!(tallies.of("func.a.b").report().0.arrivals, 0);
    }

    #[test]
    fn many_funcs_are_reported_in_turns() {
        let (tallies, start) = (Tallies::default(), Instant::now());
        for number in 0..600 {
            tallies.of(&format!("func.{number:03}")).arrive(1);
        }
        let turns: Vec<_> = (0..3).map(|_| tallies.busy(start)).collect();
        assert!(turns.iter().all(|funcs| funcs.len() == REPORTED_MAX));
        let all: std::collections::BTreeSet<_> = turns.iter().flat_map(BTreeMap::keys).collect();
        assert_eq!(all.len(), 600);
    }
}
