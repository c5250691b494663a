//! `Need`: how many runners a pool needs, as a real number, by what was seen of it.

use std::time::Duration;

use crate::Pool;
use crate::load::Load;
use crate::mix::Mix;
use crate::track::{Arrivals, Track};

/// Decisions and looks at the depths of queues are made twice a second, not together: over less than this, growth
/// would be seen twice or not at all.
const WINDOW_MIN: Duration = Duration::from_secs(1);

/// How many standard deviations a burst has to stand out by: once in some hundred windows chance does that.
const SURE: f64 = 2.5;

/// A call in a runner may wait so long, on average, before there is a runner more for each that would do.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// A pool grows when its room is used up by so much, in runners, and shrinks when it has all of it: what varies
/// by less changes nothing.
const SLACK_MAX: f64 = 0.25;

/// How many runners a pool needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// The work that arrives, in runners.
    pub(crate) load: f64,
    /// What arrives for sure.
    pub(crate) sure: f64,
    /// What serves the load with room for chance.
    pub(crate) steady: f64,
    /// What does that, or serves what arrives for sure and works off what waits.
    pub(crate) total: f64,
}

impl Need {
    pub(crate) fn of(pool: &Pool, now: &Load, mix: Mix, track: &Track) -> Self {
        let config = pool.config();
        let arrivals = track.arrivals(config.stable_window, config.panic_window);
        let stable = arrivals.map_or(now.share, |arrivals| arrivals.rate);
        let sure = sure(track, config.panic_window, now.call).unwrap_or(now.share);
        let drain = config.drain_time.as_secs_f64();
        // What waits in runners for long, while others may have room, is more than chance was allowed for.
        let waits =
            mix.apart * track.waiting(config.stable_window).unwrap_or_default() / WAIT_MAX.as_secs_f64();
        let steady = staffed(stable, mix, config.target) + waits;
        let cover = (now.backlog + now.waiting) / drain;
        // The room that a target leaves is there for chance and works off backlogs as well: neither what
        // stands out of chance nor what waits gets room of its own.
        let slack = SLACK_MAX.min((steady - stable) / 2.0);
        Self { load: stable.max(sure), sure, steady, total: (steady - slack).max(sure + cover) }
    }
}

/// Square-root staffing: how much a load varies grows with its root, and so does the room for it. The target
/// says how much that is for a load of one runner. Work that does not wait in one line, but is handed out to
/// runners when it comes, needs that room in each of them; work that varies more needs more.
fn staffed(load: f64, mix: Mix, target: f64) -> f64 {
    let lines = 1.0 + (load - 1.0).max(0.0) * mix.apart;
    load + (1.0 / target - 1.0) * (load * lines * mix.spread).sqrt()
}

/// What arrives for sure by the window that shows most of it, from the shortest to the whole panic window: of a
/// burst the shortest, of what is hardly more than chance the longest.
fn sure(track: &Track, panic_window: Duration, call: f64) -> Option<f64> {
    let shortest = track.step()?.max(WINDOW_MIN);
    let doubling = std::iter::successors(Some(shortest), |window| Some(*window * 2));
    let windows = doubling.take_while(|window| *window < panic_window).chain([panic_window]);
    windows
        .filter_map(|window| track.arrivals(window, panic_window))
        .map(|arrivals| least(arrivals, call))
        .reduce(f64::max)
}

/// The least that arrives, chance aside. The calls that come in a window vary by the root of their number,
/// each being so much work; how long they last varies as much again.
fn least(arrivals: Arrivals, call: f64) -> f64 {
    let deviation = (2.0 * call * arrivals.rate / arrivals.seconds).sqrt();
    (arrivals.rate - SURE * deviation).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_pools_run_hotter() {
        for (load, expected) in [(0.0, 0.0), (1.0, 1.25), (4.0, 4.5), (100.0, 102.5), (10_000.0, 10_025.0)] {
            assert!((staffed(load, Mix::ONE, 0.8) - expected).abs() < 1e-9, "{load}");
        }
    }

    #[test]
    fn work_that_is_handed_out_needs_room_in_each_runner() {
        let apart = Mix { apart: 1.0, spread: 1.0 };
        assert!((staffed(100.0, apart, 0.8) - 125.0).abs() < 1e-9, "as busy as the runner of a pool of one");
        assert!(
            (staffed(100.0, Mix { spread: 4.0, ..apart }, 0.8) - 150.0).abs() < 1e-9,
            "or less if it varies"
        );
        assert!((staffed(1.0, apart, 0.8) - staffed(1.0, Mix::ONE, 0.8)).abs() < 1e-9);
    }

    #[test]
    fn what_chance_may_have_done_is_not_believed() {
        let arrivals = |rate, seconds| Arrivals { rate, seconds };
        assert_eq!(least(arrivals(0.01, 1.0), 0.1), 0.0);
        let (short, long) = (least(arrivals(10.0, 0.5), 0.01), least(arrivals(10.0, 6.0), 0.01));
        assert!(8.0 < short - 0.4 && short < long && long < 10.0, "{short} {long}");
    }
}
