//! What others see of a pool: wanted, there, serving, why, and what is wrong. Pure.

use scaling::{Effect, Listing};
use tokio::time::Instant;
use wire::PoolReport;

use super::Charge;
use super::sight;
use super::survey::Found;
use crate::stats::Snapshot;

/// The report of one pool.
pub(super) fn of(
    charge: &Charge,
    kind: &str,
    effect: &Effect,
    found: &Found,
    snapshot: &Snapshot,
    now: Instant,
) -> PoolReport {
    let (policy, name) = (&charge.pool.policy, &effect.pool);
    let running = match found.listing(name, now) {
        Listing::Known { current, .. } => Some(current),
        Listing::Unknown => None,
    };
    let troubles = [
        effect.alarm.clone(),
        found.failure(name).map(|reason| format!("a runner does not start: {reason}")),
        charge.trouble.borrow().clone(),
        found.trouble.clone(),
    ];
    // One cause may be met in two ways.
    let mut alarms: Vec<String> = troubles.into_iter().flatten().collect();
    alarms.dedup();
    PoolReport {
        name: name.clone(),
        labels: policy.config().labels.clone(),
        substrate: kind.to_owned(),
        runners_min: policy.config().runners_min,
        runners_max: policy.runners_max(),
        wanted: effect.runners,
        running,
        ready: sight::ready_count(snapshot, name),
        why: effect.why.clone(),
        alarm: (!alarms.is_empty()).then(|| alarms.join("; ")),
        cost_per_hour: policy.config().cost_per_hour,
    }
}
