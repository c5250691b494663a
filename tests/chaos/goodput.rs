//! `Goodput`: how many of the requests of each second were answered well, and when that was normal again.

use std::time::Duration;

use super::ledger::{Ledger, Operation, Request};

#[derive(Debug)]
pub(crate) struct Goodput {
    /// Successes among the requests sent in each whole second of the load.
    pub(crate) per_second: Vec<u32>,
    /// The mean per second until the first fault, over all faults, and after the last.
    pub(crate) before: f64,
    pub(crate) during: f64,
    pub(crate) after: f64,
    /// How long after the end of the last fault it took until the rest of the run was normal.
    pub(crate) recovery: Option<Duration>,
    /// The 99th percentile of the latencies before the first fault, and from then on.
    pub(crate) p99_before: Duration,
    pub(crate) p99_since: Duration,
}

/// The part of what was answered well before the fault, of what was asked, that counts as normal.
const NORMAL: f64 = 0.95;

impl Goodput {
    /// Reads it from a ledger. A success that comes later than `late` is none.
    pub(crate) fn of(ledger: &Ledger, late: Duration) -> Self {
        let requests: Vec<&Request> =
            ledger.requests.iter().filter(|request| request.operation != Operation::Poison).collect();
        let is_good = |request: &Request| {
            request.succeeded() && request.latency().is_some_and(|latency| latency <= late)
        };
        let asked = per_second(&requests, ledger.end, |_| true);
        let per_second = per_second(&requests, ledger.end, is_good);
        let start = ledger.faults.iter().map(|fault| fault.start).min().unwrap_or(ledger.end);
        let end = ledger.faults.iter().map(|fault| fault.end).max().unwrap_or(ledger.end);
        // Only whole seconds: the one in which a fault begins is no longer before it.
        let (first, last) = (whole(start), whole(end).min(per_second.len()));
        let before = mean(&per_second[..first.min(per_second.len())]);
        let during = mean(&per_second[first.min(last)..last]);
        // Not every second is asked for as much: a burst before the fault is no measure for what comes after it.
        let well = |from: usize, to: usize| share(&per_second[from..to], &asked[from..to]);
        let normal = well(0, first.min(per_second.len())) * NORMAL;
        let normal_from = (last..per_second.len())
            .find(|&second| well(second, second + 1) >= normal && well(second, per_second.len()) >= normal);
        let latencies = |wanted: &dyn Fn(Duration) -> bool| {
            p99(requests.iter().filter(|request| wanted(request.at)).filter_map(|request| request.latency()))
        };
        Self {
            before,
            during,
            after: mean(&per_second[last..]),
            recovery: normal_from.map(|second| Duration::from_secs(second as u64).saturating_sub(end)),
            p99_before: latencies(&|at| at < start),
            p99_since: latencies(&|at| at >= start),
            per_second,
        }
    }
}

fn whole(time: Duration) -> usize {
    usize::try_from(time.as_secs()).unwrap_or(usize::MAX)
}

fn per_second(requests: &[&Request], end: Duration, counts: impl Fn(&Request) -> bool) -> Vec<u32> {
    let mut seconds = vec![0; whole(end)];
    for request in requests.iter().filter(|request| counts(request)) {
        if let Some(second) = seconds.get_mut(whole(request.at)) {
            *second += 1;
        }
    }
    seconds
}

/// How much of what was asked was answered well; all of nothing.
fn share(good: &[u32], asked: &[u32]) -> f64 {
    let sum = |seconds: &[u32]| f64::from(seconds.iter().sum::<u32>());
    if sum(asked) > 0.0 { sum(good) / sum(asked) } else { 1.0 }
}

fn mean(seconds: &[u32]) -> f64 {
    if seconds.is_empty() { 0.0 } else { f64::from(seconds.iter().sum::<u32>()) / seconds.len() as f64 }
}

fn p99(latencies: impl Iterator<Item = Duration>) -> Duration {
    let mut sorted: Vec<Duration> = latencies.collect();
    sorted.sort();
    sorted.get(sorted.len() * 99 / 100).copied().unwrap_or_default()
}
