//! `Track`: what one runner does for one Func, as its reports tell.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use wire::{FuncStats, Histogram};

use super::{FuncSeen, Tried, WINDOW};

/// Reports that are closer together than this are one: a share of less than that says little, as they may
/// have been longer on their way.
pub(super) const APART_MIN: Duration = Duration::from_millis(500);

/// Of reports that come closer together than this, the last one is kept: nobody is to fill our memory with them.
const TOGETHER_MAX: Duration = Duration::from_millis(100);

/// A runner keeps the counters of a Func that it has no more for some seconds.
const OLD_AFTER: Duration = Duration::from_secs(60);

/// What one runner does for one Func.
pub(super) struct Track {
    last: FuncStats,
    /// What it had done when it reported in the last seconds, and the last time before.
    samples: VecDeque<Sample>,
}

struct Sample {
    at: Instant,
    totals: Totals,
}

/// What was done since we heard of it first.
#[derive(Clone, Copy, Default)]
struct Totals {
    calls: u64,
    deliveries: u64,
    failures: u64,
    ended: u64,
    service_us: u64,
    busy_us: u64,
    cpu_us: u64,
}

/// How long the calls took that ended between two reports, and what came of them.
#[derive(Default)]
pub(super) struct More {
    pub(super) queue_us: Histogram,
    pub(super) service_us: Histogram,
    pub(super) tried: Tried,
}

impl Track {
    /// Of a Func that the runner had done nothing for at that time.
    pub(super) fn from_nothing(at: Instant) -> Self {
        Self::from(FuncStats::default(), at)
    }

    /// Of a Func that the runner had done that for until then, whenever it was.
    pub(super) fn from(last: FuncStats, at: Instant) -> Self {
        Self { last, samples: [Sample { at, totals: Totals::default() }].into() }
    }

    /// Takes note of a report; what is new in it.
    pub(super) fn count(&mut self, stats: &FuncStats, now: Instant) -> More {
        let mut before = std::mem::replace(&mut self.last, stats.clone());
        if stats.arrivals < before.arrivals {
            // It had let go of the Func meanwhile, and counts anew.
            before = FuncStats::default();
        }
        let service_us = stats.service_us.since(&before.service_us);
        let tried = Tried::between(&before, stats, service_us.count());
        let more = More { queue_us: stats.queue_us.since(&before.queue_us), service_us, tried };
        let totals = self.totals().after(&before, stats, &more.service_us);
        while self.samples.get(1).is_some_and(|second| now.duration_since(second.at) > WINDOW) {
            self.samples.pop_front();
        }
        let mut latest = self.samples.iter().rev().map(|sample| sample.at);
        if let (Some(last), Some(before)) = (latest.next(), latest.next())
            && last.duration_since(before) < TOGETHER_MAX
        {
            self.samples.pop_back();
        }
        self.samples.push_back(Sample { at: now, totals });
        more
    }

    /// What was done in the last seconds; nothing, when nothing is said of it any more.
    pub(super) fn seen(&self, now: Instant) -> Option<FuncSeen> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        if now.duration_since(last.at) > WINDOW {
            return None;
        }
        let done = last.totals.since(first.totals);
        let time = last.at.duration_since(first.at);
        let seen = FuncSeen {
            time,
            calls: done.calls,
            deliveries: done.deliveries,
            failures: done.failures,
            ended: done.ended,
            service: Duration::from_micros(done.service_us.checked_div(done.ended).unwrap_or_default()),
            cpu: Duration::from_micros(done.cpu_us.checked_div(done.ended).unwrap_or_default()),
            busy: share(done.busy_us, time),
            in_flight: self.last.in_flight,
            waiting: self.last.waiting,
        };
        let rests = FuncSeen { time, ..FuncSeen::default() };
        (seen != rests).then_some(seen)
    }

    /// The slots that were held between the last two reports, on average.
    pub(super) fn latest_busy(&self, now: Instant) -> Option<f64> {
        let last = self.samples.back().filter(|last| now.duration_since(last.at) <= WINDOW)?;
        let is_apart = |sample: &&Sample| last.at.duration_since(sample.at) >= APART_MIN;
        let before = self.samples.iter().rev().find(is_apart)?;
        let (done, time) = (last.totals.since(before.totals), last.at.duration_since(before.at));
        Some(share(done.busy_us, time))
    }

    /// Whether the runner has let go of the Func and its counters by now.
    pub(super) fn is_old(&self, now: Instant) -> bool {
        self.samples.back().is_none_or(|last| now.duration_since(last.at) > OLD_AFTER)
    }

    fn totals(&self) -> Totals {
        self.samples.back().map(|last| last.totals).unwrap_or_default()
    }
}

impl More {
    /// Adds what another one holds.
    pub(super) fn merge(&mut self, other: &Self) {
        self.queue_us.merge(&other.queue_us);
        self.service_us.merge(&other.service_us);
    }
}

impl Totals {
    /// What it is when these counters went on from there. Whatever they are, nothing overflows.
    fn after(self, before: &FuncStats, now: &FuncStats, service_us: &Histogram) -> Self {
        let ended = service_us.count();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "it is known to 6 % anyway, and a cast stops at the largest number"
        )]
        let service_us = (service_us.mean().unwrap_or_default() * ended as f64) as u64;
        let more = |total: u64, before: u64, now: u64| total.saturating_add(now.saturating_sub(before));
        Self {
            calls: more(self.calls, before.arrivals, now.arrivals),
            deliveries: more(self.deliveries, before.deliveries, now.deliveries),
            failures: more(self.failures, before.failures, now.failures),
            ended: self.ended.saturating_add(ended),
            service_us: self.service_us.saturating_add(service_us),
            busy_us: more(self.busy_us, before.busy_us, now.busy_us),
            cpu_us: more(self.cpu_us, before.cpu_us, now.cpu_us),
        }
    }

    /// What was added since. Totals never shrink.
    fn since(self, before: Self) -> Self {
        Self {
            calls: self.calls - before.calls,
            deliveries: self.deliveries - before.deliveries,
            failures: self.failures - before.failures,
            ended: self.ended - before.ended,
            service_us: self.service_us - before.service_us,
            busy_us: self.busy_us - before.busy_us,
            cpu_us: self.cpu_us - before.cpu_us,
        }
    }
}

/// How much of a time these microseconds are.
pub(super) fn share(micros: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { Duration::from_micros(micros).as_secs_f64() / time.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_reports_is_kept_as_few() {
        let start = Instant::now();
        let mut track = Track::from_nothing(start);
        for millis in 1..=30_000 {
            let stats = FuncStats { arrivals: millis, busy_us: millis * 2_000, ..FuncStats::default() };
            track.count(&stats, start + Duration::from_millis(millis));
        }
        assert!(track.samples.len() <= 103, "{}", track.samples.len());
        let now = start + Duration::from_secs(30);
        let seen = track.seen(now).unwrap();
        assert!((seen.per_second(seen.calls) - 1_000.0).abs() < 1.0, "{seen:?}");
        assert!((track.latest_busy(now).unwrap() - 2.0).abs() < 0.01);
    }
}
