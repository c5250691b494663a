//! What a pool was seen to do over time: curves that only grow, and the largest of late.

use std::collections::VecDeque;
use std::time::Duration;

/// An hour, the longest window, of two observations in a second, and some more.
const POINTS_MAX: usize = 8192;

/// A pool at one moment. Work is counted in runner-seconds: what a runner does in a second when it is full.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Point {
    pub(crate) at: Duration,
    /// Work that was done since the first observation.
    pub(crate) served: f64,
    /// Work that waits in the broker.
    pub(crate) backlog: f64,
    /// That, and what waits in runners.
    pub(crate) outstanding: f64,
    /// What waited in runners since the first observation, times seconds.
    waited: f64,
}

/// The observations of a pool, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    points: VecDeque<Point>,
}

impl Track {
    /// Adds what is seen now, and forgets what is older than the horizon.
    pub(crate) fn push(&mut self, now: Duration, share: f64, backlog: f64, waiting: f64, horizon: Duration) {
        let mut point = Point { at: now, backlog, outstanding: backlog + waiting, ..Point::default() };
        if let Some(last) = self.points.back() {
            if now <= last.at {
                return;
            }
            let seconds = (now - last.at).as_secs_f64();
            point.served = last.served + share * seconds;
            point.waited = last.waited + waiting * seconds;
        }
        self.points.push_back(point);
        // The newest of those that are too old is where the horizon's window begins.
        while self.points.get(1).is_some_and(|second| second.at + horizon <= now)
            || self.points.len() > POINTS_MAX
        {
            self.points.pop_front();
        }
    }

    /// The work that came in a second over this window: what was done, and by how much grew what was not.
    /// For growth within a `short` window only the broker's word is taken: over longer ones, what runners may
    /// claim comes to little. None before there are two observations.
    pub(crate) fn arrivals(&self, window: Duration, short: Duration) -> Option<Arrivals> {
        let (first, last, seconds) = self.ends(window)?;
        let served = (last.served - first.served) / seconds;
        let (backlog, outstanding) = (last.backlog - first.backlog, last.outstanding - first.outstanding);
        let growth = if window < short { outstanding.min(backlog.max(0.0)) } else { outstanding };
        Some(Arrivals { rate: (served + growth / seconds).max(0.0), seconds })
    }

    /// The work that waited in runners over this window, on average.
    pub(crate) fn waiting(&self, window: Duration) -> Option<f64> {
        let (first, last, seconds) = self.ends(window)?;
        Some((last.waited - first.waited) / seconds)
    }

    fn ends(&self, window: Duration) -> Option<(&Point, &Point, f64)> {
        let last = self.points.back()?;
        let from = last.at.saturating_sub(window);
        let begin = self.points.partition_point(|point| point.at <= from).saturating_sub(1);
        let first = self.points.get(begin)?;
        let seconds = last.at.saturating_sub(first.at).as_secs_f64();
        (seconds > 0.0).then_some((first, last, seconds))
    }

    /// The time between the last two observations.
    pub(crate) fn step(&self) -> Option<Duration> {
        let last = self.points.back()?;
        let before = self.points.get(self.points.len().checked_sub(2)?)?;
        Some(last.at - before.at)
    }
}

/// What came in over a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrivals {
    /// Runner-seconds in a second, that is, runners.
    pub(crate) rate: f64,
    /// How long the window was in truth.
    pub(crate) seconds: f64,
}

/// The largest value of late: those that a later one exceeded are forgotten.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peak {
    values: VecDeque<(Duration, f64)>,
}

impl Peak {
    /// Adds what is so now, and forgets what was longer ago than the window.
    pub(crate) fn push(&mut self, now: Duration, value: f64, window: Duration) {
        while self.values.back().is_some_and(|(_, before)| *before <= value) {
            self.values.pop_back();
        }
        self.values.push_back((now, value));
        while self.values.front().is_some_and(|(at, _)| *at + window < now) || self.values.len() > POINTS_MAX
        {
            self.values.pop_front();
        }
    }

    pub(crate) fn max(&self) -> f64 {
        self.values.front().map_or(0.0, |(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn track(points: &[(f64, f64, f64)]) -> Track {
        let mut track = Track::default();
        for ((share, backlog, waiting), second) in points.iter().zip(0..) {
            track.push(SECOND * second, *share, *backlog, *waiting, 10 * SECOND);
        }
        track
    }

    fn rate(track: &Track, window: u32) -> f64 {
        track.arrivals(SECOND * window, SECOND * 2).unwrap().rate
    }

    #[test]
    fn what_came_is_what_was_done_and_what_was_left() {
        assert!(track(&[(1.0, 0.0, 0.0)]).arrivals(SECOND, SECOND).is_none());
        let burst = track(&[(1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (2.0, 3.0, 0.0)]);
        assert_eq!(rate(&burst, 1), 5.0);
        assert_eq!(rate(&burst, 2), 3.0);
        assert_eq!(rate(&burst, 100), 3.0, "a window is no longer than what was seen");
    }

    #[test]
    fn what_is_worked_off_did_not_come_just_now() {
        let draining = track(&[(5.0, 9.0, 0.0), (5.0, 6.0, 0.0), (5.0, 3.0, 0.0)]);
        assert_eq!(rate(&draining, 2), 2.0);
    }

    #[test]
    fn what_runners_say_that_waits_adds_nothing_at_once_but_is_subtracted() {
        assert_eq!(rate(&track(&[(1.0, 0.0, 0.0), (1.0, 0.0, 9.0)]), 1), 1.0);
        assert_eq!(rate(&track(&[(1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 0.0, 9.0)]), 2), 5.5);
        assert_eq!(rate(&track(&[(1.0, 0.0, 2.0), (3.0, 0.0, 0.0)]), 1), 1.0);
        assert_eq!(rate(&track(&[(1.0, 4.0, 0.0), (1.0, 0.0, 4.0)]), 1), 1.0, "it was handed out");
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut track = Track::default();
        let mut peak = Peak::default();
        for second in 0..100_000 {
            track.push(SECOND * second, 1.0, 0.0, 0.0, 10 * SECOND);
            peak.push(SECOND * second, f64::from(100_000 - second), 10 * SECOND);
        }
        assert_eq!((track.points.len(), peak.values.len()), (11, 11));
        assert_eq!(peak.max(), 11.0);
    }

    #[test]
    fn a_clock_that_stands_adds_nothing() {
        let mut track = track(&[(1.0, 0.0, 0.0), (1.0, 0.0, 0.0)]);
        track.push(SECOND, 9.0, 9.0, 9.0, 10 * SECOND);
        assert_eq!(rate(&track, 1), 1.0);
    }
}
