//! What a pool is missing and has too much of. Pure: processes and containers are brought to their number alike.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::{Instance, InstanceState};

/// Whoever ends sooner after its start was not killed by its work: it cannot start.
pub(crate) const EARLY: Duration = Duration::from_secs(10);
/// So many times in a row it is no accident.
pub(crate) const FAILURES_MAX: u32 = 3;
/// The longest pause before another attempt: what was put right is found soon.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A runner, or what is left of one, as found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What the engine calls it.
    pub(crate) id: String,
    /// Its instance's name.
    pub(crate) name: String,
    pub(crate) pool: String,
    /// The fingerprint of what it was made from.
    pub(crate) template: String,
    /// Its place in the pool; none once it was told to leave.
    pub(crate) number: Option<usize>,
    /// How many in a row have failed to start in this place, with this one if it does.
    pub(crate) attempt: u32,
    pub(crate) phase: Phase,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It was made and never started.
    Made,
    /// It runs; if it was told to leave, its time may be over.
    Running { is_overdue: bool },
    /// It has ended.
    Ended {
        /// How long it ran.
        ran: Duration,
        /// How long ago that was.
        since: Duration,
        reason: String,
    },
}

/// What to do, to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Make and start one in this place.
    Start { number: usize, attempt: u32 },
    /// Start what was made.
    Begin(String),
    /// Have it give up its place, and tell it to leave.
    Leave(String),
    /// Tell it again.
    Remind(String),
    /// End it.
    Kill(String),
    /// Clear away what is left of it.
    Remove(String),
}

impl Found {
    fn is_leaving(&self) -> bool {
        self.number.is_none()
    }

    fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended { .. })
    }

    /// As others see it; what has ended and is replaced at once, nobody has to see.
    pub(crate) fn instance(&self, template: Option<&str>) -> Option<Instance> {
        let state = match &self.phase {
            Phase::Ended { reason, .. } if self.has_failed() => {
                InstanceState::Failed { reason: reason.clone() }
            }
            Phase::Ended { .. } => return None,
            _ if self.is_leaving() => InstanceState::Leaving,
            _ => InstanceState::Running,
        };
        let is_current = template == Some(&self.template);
        Some(Instance { name: self.name.clone(), pool: self.pool.clone(), state, is_current })
    }

    fn has_failed(&self) -> bool {
        self.ended_early() && self.attempt >= FAILURES_MAX && !self.is_leaving()
    }

    fn ended_early(&self) -> bool {
        matches!(self.phase, Phase::Ended { ran, .. } if ran < EARLY)
    }

    /// Whether it keeps its place, though it has ended: the next attempt has to wait.
    fn rests(&self) -> bool {
        let pause = PAUSE_MAX.min(Duration::from_secs(1 << self.attempt.clamp(1, 7)) / 2);
        self.ended_early() && matches!(self.phase, Phase::Ended { since, .. } if since < pause)
    }

    /// The attempt that follows it in its place.
    fn next_attempt(&self) -> u32 {
        if self.ended_early() { self.attempt.saturating_add(1) } else { 1 }
    }
}

/// What brings this pool to `count` runners made from `template`. What has ended comes first, then who leaves, then
/// who starts.
pub(crate) fn scale(template: &str, count: usize, ready: &BTreeSet<String>, pool: &[Found]) -> Vec<Step> {
    let mut steps = tidy(pool);
    let placed = || pool.iter().filter(|found| !found.is_leaving());
    let (mut current, mut old): (Vec<&Found>, Vec<&Found>) = placed()
        .filter(|found| !found.has_ended() || found.rests())
        .partition(|found| found.template == template);
    old.retain(|found| !found.has_ended());
    // Whoever has ended and may be replaced, or is not wanted any more, is cleared away.
    let kept: BTreeSet<&str> = current.iter().chain(&old).map(|found| found.id.as_str()).collect();
    let gone: Vec<&Found> = placed().filter(|found| !kept.contains(found.id.as_str())).collect();
    steps.extend(gone.iter().map(|found| Step::Remove(found.id.clone())));

    let serving = current.iter().filter(|found| ready.contains(&found.name)).count();
    steps.extend(surplus(&mut current, count, ready));
    let old_count = old.len();
    steps.extend(surplus(&mut old, count.saturating_sub(serving), ready));
    steps.extend(
        current.iter().filter(|found| found.phase == Phase::Made).map(|found| Step::Begin(found.id.clone())),
    );

    let missing = count.saturating_sub(current.len()).min(room(count, current.len(), old_count));
    let taken: BTreeSet<usize> =
        placed().filter(|found| kept.contains(found.id.as_str())).filter_map(|found| found.number).collect();
    steps.extend((1..).filter(|number| !taken.contains(number)).take(missing).map(|number| {
        let before = gone.iter().find(|found| found.number == Some(number) && found.template == template);
        Step::Start { number, attempt: before.map_or(1, |found| found.next_attempt()) }
    }));
    steps
}

/// Has everybody leave.
pub(crate) fn retire(pool: &[Found]) -> Vec<Step> {
    let mut steps = tidy(pool);
    steps.extend(pool.iter().filter(|found| !found.is_leaving()).map(leave));
    steps
}

/// What is to do about those who leave.
fn tidy(pool: &[Found]) -> Vec<Step> {
    let leaving = pool.iter().filter(|found| found.is_leaving());
    leaving
        .map(|found| match found.phase {
            Phase::Running { is_overdue: false } => Step::Remind(found.id.clone()),
            Phase::Running { is_overdue: true } => Step::Kill(found.id.clone()),
            Phase::Made | Phase::Ended { .. } => Step::Remove(found.id.clone()),
        })
        .collect()
}

/// Has those leave that are too many, and takes them out: who does not serve goes before who does, and of those the
/// ones in the highest places, so that two who decide at once choose the same.
fn surplus(runners: &mut Vec<&Found>, keep: usize, ready: &BTreeSet<String>) -> Vec<Step> {
    runners.sort_by_key(|found| (found.has_ended(), !ready.contains(&found.name), found.number));
    runners.split_off(keep.min(runners.len())).into_iter().map(leave).collect()
}

fn leave(found: &Found) -> Step {
    match found.phase {
        Phase::Running { .. } => Step::Leave(found.id.clone()),
        Phase::Made | Phase::Ended { .. } => Step::Remove(found.id.clone()),
    }
}

/// How many may be started beside old ones: a machine that runs a pool has no room for it twice.
fn room(count: usize, current: usize, old: usize) -> usize {
    if old == 0 {
        return usize::MAX;
    }
    (count + (count / 4).max(1)).saturating_sub(current + old)
}

#[cfg(test)]
mod tests;
