//! What holds for whoever shares Funcs out, whatever there is.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use wire::{FuncAssignment, Labels};

use super::*;
use crate::desired::tests::route;
use crate::plan;

const LABELS: [&str; 6] = ["", "gpu=true", "zone=a", "zone=b", "gpu=true,zone=a", "gpu=true,zone=b"];

fn runner(number: usize, labels: &str, funcs_max: Option<usize>) -> Runner {
    let id = MemberId::parse(format!("runner-{number:03}")).unwrap();
    Runner { id, labels: labels.parse().unwrap(), funcs_max }
}

fn alike(count: usize, funcs_max: usize) -> Vec<Runner> {
    (0..count).map(|number| runner(number, "", Some(funcs_max))).collect()
}

fn asking(placements: impl IntoIterator<Item = &'static str>) -> Vec<FuncAssignment> {
    let func = |(number, placement): (usize, &str)| FuncAssignment {
        queue: format!("func.{number:016x}.0"),
        placement: placement.parse().unwrap(),
        ..plan::funcs(&[route("*", "/a", 0)]).remove(0)
    };
    placements.into_iter().enumerate().map(func).collect()
}

fn plain(count: usize) -> Vec<FuncAssignment> {
    asking(std::iter::repeat_n("", count))
}

/// What each runner holds.
fn loads<'r>(funcs: &[FuncAssignment], runners: &'r [Runner]) -> HashMap<&'r MemberId, BTreeSet<String>> {
    let holders = share(funcs, runners);
    let holds = |runner: &Runner, func: &FuncAssignment| {
        runner.labels.include(&func.placement)
            && holders.get(&func.queue).is_none_or(|holders| holders.contains(&runner.id))
    };
    let held = |runner: &'r Runner| {
        let funcs = funcs.iter().filter(|func| holds(runner, func));
        (&runner.id, funcs.map(|func| func.queue.clone()).collect())
    };
    runners.iter().map(held).collect()
}

/// How many Funcs can be held at all, found by trying everything (Kuhn), with each seat of a runner by itself.
fn most(funcs: &[FuncAssignment], runners: &[Runner]) -> usize {
    fn seat(
        func: usize,
        seats: &[Vec<usize>],
        taken: &mut HashMap<usize, usize>,
        seen: &mut BTreeSet<usize>,
    ) -> bool {
        seats[func].iter().any(|place| {
            seen.insert(*place)
                && taken.get(place).copied().is_none_or(|other| seat(other, seats, taken, seen))
                && {
                    taken.insert(*place, func);
                    true
                }
        })
    }
    let of = |labels: &Labels| -> Vec<usize> {
        let seats = runners.iter().enumerate().filter(|(_, runner)| runner.labels.include(labels));
        seats
            .flat_map(|(number, runner)| {
                (0..runner.funcs_max.unwrap_or(funcs.len())).map(move |seat| number * 1_000 + seat)
            })
            .collect()
    };
    let seats: Vec<Vec<usize>> = funcs.iter().map(|func| of(&func.placement)).collect();
    let mut taken = HashMap::new();
    (0..funcs.len()).filter(|func| seat(*func, &seats, &mut taken, &mut BTreeSet::new())).count()
}

proptest! {
    #[test]
    fn nobody_is_over_its_bound_and_whatever_can_be_held_is(
        funcs in prop::collection::vec(prop::sample::select(&LABELS[..]), 0..40),
        runners in prop::collection::vec((prop::sample::select(&LABELS[..]), prop::option::weighted(0.9, 0_usize..12)), 0..8),
    ) {
        let funcs = asking(funcs);
        let runners: Vec<Runner> =
            runners.into_iter().enumerate().map(|(number, (labels, max))| runner(number, labels, max)).collect();
        let loads = loads(&funcs, &runners);
        for runner in &runners {
            prop_assert!(runner.funcs_max.is_none_or(|max| loads[&runner.id].len() <= max));
        }
        let held: BTreeSet<&String> = loads.values().flatten().collect();
        prop_assert_eq!(held.len(), most(&funcs, &runners));
        let holders = share(&funcs, &runners);
        let may_hold = |queue: &str, id: &MemberId| {
            let func = funcs.iter().find(|func| func.queue == *queue).unwrap();
            runners.iter().any(|runner| runner.id == *id && runner.labels.include(&func.placement))
        };
        for (queue, holders) in &holders {
            prop_assert!(holders.iter().all(|id| may_hold(queue, id)));
            prop_assert_eq!(holders.iter().collect::<BTreeSet<_>>().len(), holders.len());
        }
    }

    #[test]
    fn the_order_in_which_things_are_told_is_nothing_to_anybody(
        (mut funcs, mut runners) in (1_usize..40, 1_usize..8, 1_usize..12)
            .prop_flat_map(|(funcs, runners, max)| {
                (Just(plain(funcs)).prop_shuffle(), Just(alike(runners, max)).prop_shuffle())
            }),
    ) {
        let shuffled = share(&funcs, &runners);
        funcs.sort_by(|a, b| a.queue.cmp(&b.queue));
        runners.sort_by(|a, b| a.id.cmp(&b.id));
        prop_assert_eq!(shuffled, share(&funcs, &runners));
    }

    #[test]
    fn all_have_as_many_copies_as_there_is_room_for(
        funcs in 1_usize..60, runners in 1_usize..10, max in 1_usize..60,
    ) {
        let all = plain(funcs);
        let holders = share(&all, &alike(runners, max));
        let room = runners * max / funcs;
        for func in &all {
            let copies = holders.get(&func.queue).map_or(runners, Vec::len);
            prop_assert!(copies >= room.min(runners), "{copies} of {room}");
            prop_assert!(copies <= room + 1, "{copies} of {room}");
        }
    }
}

/// Copies that come to runners which are there all the time when one comes or goes, in percent of what that one holds.
fn moved(funcs: usize, runners: usize, max: usize) -> [usize; 2] {
    let (funcs, all) = (plain(funcs), alike(runners, max));
    let (with, without) = (loads(&funcs, &all), loads(&funcs, &all[1..]));
    let held = with[&all[0].id].len();
    [(&with, &without), (&without, &with)].map(|(before, after)| {
        let came = |runner: &Runner| after[&runner.id].difference(&before[&runner.id]).count();
        all[1..].iter().map(came).sum::<usize>() * 100 / held
    })
}

#[test]
fn little_moves_but_what_one_that_comes_or_goes_holds() {
    let cases =
        [(300, 20, 50), (300, 20, 15), (1_000, 51, 100), (1_000, 33, 33), (1_000, 10, 150), (100, 4, 60)];
    for (funcs, runners, max) in cases {
        let [gone, came] = moved(funcs, runners, max);
        // What has lost a holder or gets one more, and what makes room for that.
        assert!(gone <= 300 && came <= 300, "{gone} % and {came} % of {funcs} on {runners} of {max}");
    }
}

#[test]
fn runners_that_can_hold_everything_are_told_nothing() {
    assert!(share(&plain(10), &alike(3, 10)).is_empty());
    assert!(share(&plain(10), &[]).is_empty());
    let unbounded = [runner(0, "", None), runner(1, "", Some(3))];
    let holders = share(&plain(10), &unbounded);
    assert!(holders.values().all(|holders| holders.contains(&unbounded[0].id)));
}
