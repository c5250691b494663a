//! `Runner`: what one runner says of itself.

use std::collections::BTreeMap;

use tokio::time::Instant;
use wire::{FuncStats, Heartbeat, RunnerReport};

use super::track::{APART_MIN, More, Track, share};
use super::{FuncSeen, RunnerSeen};

/// What one runner says of itself.
pub(super) struct Runner {
    first_heard_at: Instant,
    heard_at: Instant,
    version: u64,
    failed: BTreeMap<String, String>,
    leaving: bool,
    /// Its report, without Funcs.
    report: RunnerReport,
    /// Whether we have heard of it since it began. Otherwise it may have done much before.
    is_known: bool,
    /// Processors that its process used between two of its last reports, on average; and when the later one was
    /// heard, with what it had used by then.
    cpu: f64,
    cpu_us: (Instant, u64),
    /// By queue.
    tracks: BTreeMap<String, Track>,
}

impl Runner {
    /// One that is heard of for the first time.
    pub(super) fn new(heartbeat: &Heartbeat, now: Instant) -> Self {
        let has_done_nothing = heartbeat.runner.as_ref().is_some_and(|report| report.funcs.is_empty());
        Self {
            first_heard_at: now,
            heard_at: now,
            version: 0,
            failed: BTreeMap::new(),
            leaving: false,
            report: RunnerReport::default(),
            is_known: heartbeat.version == 0 && has_done_nothing,
            cpu: 0.0,
            cpu_us: (now, heartbeat.runner.as_ref().map_or(0, |report| report.cpu_us)),
            tracks: BTreeMap::new(),
        }
    }

    pub(super) fn heard_at(&self) -> Instant {
        self.heard_at
    }

    /// Takes note of what it has done for a Func, whose queue is there since then if that is known; what is new of that.
    pub(super) fn count(
        &mut self,
        queue: &str,
        since: Option<Instant>,
        stats: &FuncStats,
        now: Instant,
    ) -> More {
        // A Func that is newer than that was not run before.
        let is_known = self.is_known || since.is_some_and(|since| self.first_heard_at < since);
        let track = self.tracks.entry(queue.to_owned()).or_insert_with(|| match is_known {
            true => Track::from_nothing(self.heard_at),
            // What it did before may have taken it days.
            false => Track::from(stats.clone(), now),
        });
        track.count(stats, now)
    }

    /// Takes note of the rest.
    pub(super) fn hear(&mut self, heartbeat: &Heartbeat, report: &RunnerReport, now: Instant) {
        self.heard_at = now;
        let (before, used) = self.cpu_us;
        if now.duration_since(before) >= APART_MIN {
            self.cpu = share(report.cpu_us.saturating_sub(used), now.duration_since(before));
            self.cpu_us = (now, report.cpu_us);
        }
        self.version = heartbeat.version;
        self.failed = heartbeat.failed.clone();
        self.leaving = heartbeat.leaving;
        self.report = RunnerReport {
            pool: report.pool.clone(),
            instance: report.instance.clone(),
            labels: report.labels.clone(),
            threads: report.threads,
            slots: report.slots,
            cpu_us: report.cpu_us,
            funcs_max: report.funcs_max,
            funcs: BTreeMap::new(),
            captures: BTreeMap::new(),
        };
    }

    /// Forgets Funcs that are gone, unless they may come back to a runner that still counts on.
    pub(super) fn retain(&mut self, is_there: impl Fn(&str) -> bool, now: Instant) {
        self.tracks.retain(|queue, track| is_there(queue) || !track.is_old(now));
    }

    pub(super) fn seen(&self, now: Instant) -> RunnerSeen {
        let RunnerReport { pool, instance, labels, threads, slots, .. } = self.report.clone();
        let seen = self.tracks.iter().filter_map(|(queue, track)| Some((queue.clone(), track.seen(now)?)));
        let funcs: BTreeMap<String, FuncSeen> = seen.collect();
        let busy: f64 = self.tracks.values().filter_map(|track| track.latest_busy(now)).sum();
        #[allow(clippy::cast_precision_loss, reason = "nobody has so many")]
        let (busy, cpu) = (busy.min(slots as f64), self.cpu.min(threads as f64));
        RunnerSeen {
            pool,
            instance,
            labels,
            version: self.version,
            failed: self.failed.clone(),
            leaving: self.leaving,
            threads,
            slots,
            busy,
            cpu,
            waiting: funcs.values().fold(0, |sum, func| sum.saturating_add(func.waiting)),
            funcs,
        }
    }
}
