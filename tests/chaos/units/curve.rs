//! Curves made by hand.

use std::time::Duration;

use crate::chaos::scaling::curve::{Curve, Growth};
use crate::chaos::scaling::watch::{Sample, Word};

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// One sample a second: what waits, how many run, how many serve.
fn curve(samples: &[(usize, usize, usize)]) -> Curve {
    let sample = |(at, (waiting, running, serving)): (u64, &(usize, usize, usize))| Sample {
        at: seconds(at),
        waiting: *waiting,
        serving: *serving,
        fleet: Some((0..*running).map(|name| name.to_string()).collect()),
        word: None,
    };
    Curve((0..).zip(samples).map(sample).collect())
}

#[test]
fn a_burst_is_answered_from_the_first_message_that_waits() {
    let curve = curve(&[
        (0, 0, 0),
        (3, 1, 1),
        (0, 1, 1),
        (5, 1, 1),
        (9, 1, 1),
        (20, 3, 1),
        (7, 3, 2),
        (0, 3, 3),
        (0, 1, 1),
    ]);
    let expected = Growth {
        order: Some(seconds(2)),
        serving: Some(seconds(1)),
        drained: Some(seconds(4)),
        waiting_max: 20,
        runners_max: 3,
        serving_max: 3,
    };
    assert_eq!(curve.growth(seconds(2)), expected);
    assert_eq!(curve.start(), Some(Duration::ZERO));
}

#[test]
fn what_never_came_is_not_measured() {
    let growth = curve(&[(0, 1, 1), (5, 1, 1), (6, 1, 1)]).growth(seconds(1));
    assert_eq!((growth.order, growth.serving, growth.drained), (None, None, None));
    assert_eq!(curve(&[(0, 0, 0), (1, 1, 0)]).start(), None);
}

#[test]
fn a_pool_is_right_when_all_that_is_wanted_serves_and_nothing_else_runs() {
    let word = |wanted| Some(Word { wanted, at: Duration::ZERO });
    let sample = |running, serving| curve(&[(0, running, serving)]).0.remove(0);
    let is_right = |running, serving| Sample { word: word(2), ..sample(running, serving) }.is_right();
    assert!(is_right(2, 2));
    assert!(!is_right(3, 2) && !is_right(2, 1) && !is_right(1, 1));
    assert!(!sample(0, 0).is_right(), "nobody says what is wanted");
    assert!(!Sample { word: word(2), fleet: None, ..sample(2, 2) }.is_right(), "nobody says what there is");
}
