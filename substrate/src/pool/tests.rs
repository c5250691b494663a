//! A pool is brought to its number.

use super::*;

const RUNNING: Phase = Phase::Running { is_overdue: false };

fn found(number: usize, template: &str, phase: Phase) -> Found {
    let name = format!("{template}{number}");
    let (pool, template) = ("p".to_owned(), template.to_owned());
    Found { id: name.clone(), name, pool, template, number: Some(number), attempt: 1, phase }
}

fn running(numbers: impl IntoIterator<Item = usize>, template: &str) -> Vec<Found> {
    numbers.into_iter().map(|number| found(number, template, RUNNING)).collect()
}

fn ended(number: usize, attempt: u32, ran: u64, since: u64) -> Found {
    let (ran, since) = (Duration::from_secs(ran), Duration::from_secs(since));
    Found { attempt, ..found(number, "a", Phase::Ended { ran, since, reason: "exit code 1".to_owned() }) }
}

fn leaving(phase: Phase) -> Found {
    Found { number: None, ..found(9, "a", phase) }
}

fn steps(count: usize, ready: &[&str], pool: &[Found]) -> Vec<Step> {
    scale("a", count, &ready.iter().map(ToString::to_string).collect(), pool)
}

fn start(number: usize) -> Step {
    Step::Start { number, attempt: 1 }
}

fn leave(id: &str) -> Step {
    Step::Leave(id.to_owned())
}

#[test]
fn what_is_missing_takes_the_lowest_places() {
    assert_eq!(steps(3, &[], &running([2], "a")), [start(1), start(3)]);
}

#[test]
fn nothing_is_done_to_a_pool_that_is_as_it_should_be() {
    assert_eq!(steps(2, &[], &running([1, 2], "a")), []);
}

#[test]
fn who_serves_stays_and_of_the_others_the_highest_goes() {
    assert_eq!(steps(1, &[], &running([1, 2, 3], "a")), [leave("a2"), leave("a3")]);
    assert_eq!(steps(1, &["a3"], &running([1, 2, 3], "a")), [leave("a1"), leave("a2")]);
}

#[test]
fn an_old_one_leaves_for_each_current_one_that_serves() {
    let old = running([1, 2], "b");
    assert_eq!(steps(2, &[], &old), [start(3)]);
    let mut both = [old, running([3], "a")].concat();
    assert_eq!(steps(2, &["b1", "b2"], &both), []);
    assert_eq!(steps(2, &["b1", "a3"], &both), [leave("b2")]);
    both.remove(1);
    assert_eq!(steps(2, &["b1", "a3"], &both), [start(2)]);
}

#[test]
fn a_replacement_never_leaves_fewer_than_are_wanted_nor_makes_many_more() {
    let (count, mut pool, mut ready) = (9, running(1..=9, "b"), BTreeSet::new());
    for _ in 0..20 {
        let todo = scale("a", count, &ready, &pool);
        for step in todo {
            match step {
                Step::Start { number, .. } => pool.push(found(number, "a", RUNNING)),
                Step::Leave(id) => pool.retain(|found| found.id != id),
                other => panic!("{other:?}"),
            }
        }
        assert!(pool.len() >= count && pool.len() <= count + 2, "{}", pool.len());
        // One more of them serves by the next time.
        ready.extend(
            pool.iter()
                .find(|found| found.template == "a" && !ready.contains(&found.name))
                .map(|found| found.name.clone()),
        );
    }
    assert!(pool.iter().all(|found| found.template == "a") && pool.len() == count);
}

#[test]
fn a_pool_of_none_is_left_by_all() {
    let pool = [running([1], "a"), running([2], "b"), vec![ended(3, 1, 0, 0)]].concat();
    assert_eq!(steps(0, &[], &pool), [leave("a1"), Step::Remove("a3".into()), leave("b2")]);
    assert_eq!(retire(&running([1], "a")), [leave("a1")]);
}

#[test]
fn who_leaves_is_told_again_then_ended_then_cleared_away() {
    let one = |phase| steps(0, &[], &[leaving(phase)]);
    assert_eq!(one(RUNNING), [Step::Remind("a9".into())]);
    assert_eq!(one(Phase::Running { is_overdue: true }), [Step::Kill("a9".into())]);
    assert_eq!(steps(0, &[], &[Found { number: None, ..ended(9, 1, 0, 0) }]), [Step::Remove("a9".into())]);
}

#[test]
fn who_ends_after_a_while_is_replaced_at_once() {
    let todo = steps(1, &[], &[ended(1, 2, 3_600, 0)]);
    assert_eq!(todo, [Step::Remove("a1".into()), start(1)]);
}

#[test]
fn who_ends_at_once_is_started_again_after_pauses_that_grow() {
    let pauses = |attempt| (0..200).find(|since| !steps(1, &[], &[ended(1, attempt, 0, *since)]).is_empty());
    assert_eq!([1, 2, 3, 4, 7, 50].map(pauses), [1, 2, 4, 8, 60, 60].map(Some));
    let todo = steps(1, &[], &[ended(1, 2, 0, 2)]);
    assert_eq!(todo, [Step::Remove("a1".into()), Step::Start { number: 1, attempt: 3 }]);
}

#[test]
fn who_cannot_start_is_shown_with_the_reason() {
    assert_eq!(ended(1, 2, 0, 0).instance(Some("a")), None);
    let shown = ended(1, 3, 0, 0).instance(Some("a")).unwrap();
    assert_eq!(shown.state, InstanceState::Failed { reason: "exit code 1".to_owned() });
    assert!(shown.is_current);
}

#[test]
fn what_was_made_and_not_started_is_started() {
    assert_eq!(steps(1, &[], &[found(1, "a", Phase::Made)]), [Step::Begin("a1".into())]);
    assert_eq!(steps(0, &[], &[found(1, "a", Phase::Made)]), [Step::Remove("a1".into())]);
}
