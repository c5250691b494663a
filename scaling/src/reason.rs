//! Why a pool is to have so many runners, in words, and what an operator has to look at.

use crate::load::Load;
use crate::need::Need;
use crate::{Effect, Pool};

/// What kept a pool from the size that it needs now.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    Minimum,
    /// So many are needed.
    Maximum(usize),
    /// As many were needed of late.
    Held,
    /// It grew a moment ago.
    Cooling,
    /// Runners do not report that should.
    Silent,
}

/// As `3 runners: backlog 420, 12 ms each, target 0.7`.
pub(crate) fn why(runners: usize, pool: &Pool, load: &Load, need: &Need, bound: Option<Bound>) -> String {
    let config = pool.config();
    let mut reasons = Vec::new();
    if need.load >= 0.05 {
        reasons.push(format!("load {:.1}", need.load));
    }
    if load.messages > 0 {
        reasons.push(format!("backlog {}, {} each", load.messages, millis(load.service)));
    }
    if reasons.is_empty() {
        reasons.push(if load.is_any() { "few calls" } else { "no calls" }.to_owned());
    } else {
        reasons.push(format!("target {}", config.target));
    }
    let why = format!("{}: {}", count(runners), reasons.join(", "));
    match bound {
        None => why,
        Some(Bound::Minimum) => format!("{why}; that is the minimum"),
        Some(Bound::Maximum(needed)) => format!("{why}; {needed} are needed, {runners} allowed"),
        Some(Bound::Held) => format!("{why}; so many were needed in the last {:?}", config.stable_window),
        Some(Bound::Cooling) => format!("{why}; it grew less than {:?} ago", config.cooldown),
        Some(Bound::Silent) => format!("{why}; as before, since not all of them report"),
    }
}

/// What is said when nobody knows how many runners there are: what was wished last stands.
pub(crate) fn unknown(pool: &Pool, runners: usize) -> Effect {
    Effect {
        pool: pool.name().clone(),
        runners,
        why: format!("{}, as before: the substrate does not say how many there are", count(runners)),
        alarm: Some("the substrate does not answer".to_owned()),
    }
}

/// What an operator has to look at: `silent` is how many runners there are of which none reports.
pub(crate) fn alarm(wanted: usize, max: usize, failed: usize, silent: Option<usize>) -> Option<String> {
    let mut alarms = Vec::new();
    if wanted > max {
        alarms.push(format!("{} needed, {max} allowed", count(wanted)));
    }
    if failed > 0 {
        alarms.push(format!("failed: {}", count(failed)));
    }
    if let Some(current) = silent {
        alarms.push(format!("none of {} reports", count(current)));
    }
    (!alarms.is_empty()).then(|| alarms.join("; "))
}

fn count(runners: usize) -> String {
    if runners == 1 { "1 runner".to_owned() } else { format!("{runners} runners") }
}

fn millis(seconds: f64) -> String {
    let millis = seconds * 1000.0;
    if millis < 10.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}
