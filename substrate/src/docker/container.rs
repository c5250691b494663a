//! A container as the engine tells of it, and the labels that say whose it is.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerState, ContainerSummary, ContainerSummaryStateEnum};

use super::moment;
use crate::pool::{Found, Phase};
use crate::{ClusterName, Template};

pub(crate) const CLUSTER: &str = "funcatron.cluster";
pub(crate) const POOL: &str = "funcatron.pool";
pub(crate) const TEMPLATE: &str = "funcatron.template";
const INSTANCE: &str = "funcatron.instance";
const NUMBER: &str = "funcatron.number";
const ATTEMPT: &str = "funcatron.attempt";
const LEAVE_MAX_MS: &str = "funcatron.leave-max-ms";

/// What every container of ours says of itself: with it, any Tron knows what to do with it.
pub(super) fn labels(
    template: &Template,
    cluster: &ClusterName,
    instance: &str,
    (number, attempt): (usize, u32),
) -> HashMap<String, String> {
    let labels = [
        (CLUSTER, cluster.to_string()),
        (POOL, template.pool.to_string()),
        (TEMPLATE, template.fingerprint()),
        (INSTANCE, instance.to_owned()),
        (NUMBER, number.to_string()),
        (ATTEMPT, attempt.to_string()),
        (LEAVE_MAX_MS, template.leave_max().as_millis().to_string()),
    ];
    labels.map(|(name, value)| (name.to_owned(), value)).into()
}

/// A container of ours in the engine's list.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) pool: String,
    instance: String,
    template: String,
    /// None once it was renamed, and so told to leave.
    number: Option<usize>,
    attempt: u32,
    /// How long after it was told to leave it is ended.
    leave_max: Duration,
    state: ContainerSummaryStateEnum,
}

impl Container {
    /// Nothing, of what is about to be gone.
    pub(super) fn read(summary: ContainerSummary, cluster: &ClusterName) -> Option<Self> {
        let state = summary.state?;
        let (id, labels) = (summary.id?, summary.labels.unwrap_or_default());
        let text = |name: &str| labels.get(name).cloned().unwrap_or_default();
        let pool = text(POOL);
        let number: Option<usize> = text(NUMBER).parse().ok();
        // What lost its labels is nobody's: it has no place, so it leaves.
        let number = number.filter(|number| {
            let name = format!("/{}", name(&cluster.of_pool(&pool), *number));
            summary.names.unwrap_or_default().contains(&name)
        });
        (state != ContainerSummaryStateEnum::REMOVING).then(|| Self {
            id,
            instance: text(INSTANCE),
            template: text(TEMPLATE),
            number,
            attempt: text(ATTEMPT).parse().unwrap_or(1),
            leave_max: Duration::from_millis(text(LEAVE_MAX_MS).parse().unwrap_or_default()),
            state,
            pool,
        })
    }

    /// Whether the list does not tell enough: how it has ended, or why it was not started.
    pub(super) fn needs_a_closer_look(&self) -> bool {
        let rests = [
            ContainerSummaryStateEnum::CREATED,
            ContainerSummaryStateEnum::EXITED,
            ContainerSummaryStateEnum::DEAD,
        ];
        self.number.is_some() && rests.contains(&self.state)
    }

    /// What it comes to, with how it has ended if it did, and for how long it has been seen like that.
    pub(super) fn found(self, look: Option<&ContainerState>, seen_for: Duration) -> Found {
        use ContainerSummaryStateEnum as State;
        let ended = |look: Option<&ContainerState>| Phase::Ended {
            ran: look.map(ran).unwrap_or_default(),
            since: seen_for,
            reason: look.map_or("it has ended".to_owned(), reason),
        };
        let phase = match self.state {
            State::CREATED if !look.is_some_and(|look| said(look.error.as_ref())) => Phase::Made,
            State::CREATED | State::EXITED | State::DEAD => ended(look),
            _ => Phase::Running { is_overdue: self.number.is_none() && seen_for > self.leave_max },
        };
        Found {
            id: self.id,
            name: self.instance,
            pool: self.pool,
            template: self.template,
            number: self.number,
            attempt: self.attempt,
            phase,
        }
    }

    /// What it is seen as: whoever changes from one to the next is seen anew.
    pub(super) fn sight(&self) -> String {
        format!("{} {} {}", self.id, self.state, self.number.is_none())
    }
}

/// The name of what has this place in a pool: the engine lets nobody else have it.
pub(super) fn name(pool: &str, number: usize) -> String {
    format!("{pool}_{number}")
}

/// The name of what gave its place up.
pub(super) fn leaving_name(pool: &str, id: &str) -> String {
    format!("{pool}_leaving_{}", id.get(..12).unwrap_or(id))
}

fn said(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

/// How long it ran, by the engine's clock alone.
fn ran(state: &ContainerState) -> Duration {
    let seconds = |text: &Option<String>| text.as_deref().and_then(moment::seconds);
    let (started, finished) = (seconds(&state.started_at), seconds(&state.finished_at));
    let ran = finished.zip(started).map(|(finished, started)| finished.saturating_sub(started));
    Duration::from_secs(ran.and_then(|ran| u64::try_from(ran).ok()).unwrap_or_default())
}

fn reason(state: &ContainerState) -> String {
    match (&state.error, state.oom_killed, state.exit_code) {
        (Some(error), ..) if !error.is_empty() => error.clone(),
        (_, Some(true), _) => "it took more memory than it may".to_owned(),
        (_, _, Some(code)) => format!("exit code {code}"),
        (_, _, None) => "it has ended".to_owned(),
    }
}
