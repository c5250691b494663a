//! What the tasks of a service come to.

use std::collections::BTreeMap;

use bollard::models::{Task, TaskState};

use crate::docker::container::TEMPLATE;
use crate::docker::moment;
use crate::pool::{EARLY, FAILURES_MAX};
use crate::swarm::service::RESTART_DELAY;
use crate::{Instance, InstanceState};

/// The instances of a pool: in each place the task that is newest, and those that still leave.
pub(super) fn instances(pool: &str, tasks: &[&Task], template: Option<&str>) -> Vec<Instance> {
    let mut places: BTreeMap<i64, Vec<&Task>> = BTreeMap::new();
    for task in tasks {
        places.entry(task.slot.unwrap_or_default()).or_default().push(task);
    }
    let mut instances = Vec::new();
    for mut place in places.into_values() {
        // The newest first; moments of one form sort as texts.
        place.sort_by(|one, other| other.created_at.cmp(&one.created_at));
        let failure = failure(&place);
        for (index, task) in place.iter().enumerate() {
            let state = match &failure {
                Some(reason) if index == 0 => InstanceState::Failed { reason: reason.clone() },
                _ if has_ended(task) => continue,
                _ if is_wanted(task) => InstanceState::Running,
                _ => InstanceState::Leaving,
            };
            let is_current = template.is_some() && made_from(task) == template;
            instances.push(Instance { name: instance(pool, task), pool: pool.to_owned(), state, is_current });
        }
    }
    instances
}

/// Whether nothing of it runs, nor will.
pub(super) fn has_ended(task: &Task) -> bool {
    use TaskState as State;
    let state = state(task);
    let never_began = [State::NEW, State::PENDING, State::ALLOCATED].contains(&state) && !is_wanted(task);
    let ended =
        [State::COMPLETE, State::SHUTDOWN, State::FAILED, State::REJECTED, State::REMOVE, State::ORPHANED];
    never_began || ended.contains(&state)
}

/// The name that it finds in its environment.
fn instance(pool: &str, task: &Task) -> String {
    format!("{pool}-{}-{}", task.slot.unwrap_or_default(), task.id.as_deref().unwrap_or_default())
}

fn state(task: &Task) -> TaskState {
    task.status.as_ref().and_then(|status| status.state).unwrap_or(TaskState::NEW)
}

/// Whether the Swarm wants it to run.
fn is_wanted(task: &Task) -> bool {
    use TaskState as State;
    ![State::COMPLETE, State::SHUTDOWN, State::REMOVE].contains(&task.desired_state.unwrap_or(State::RUNNING))
}

fn made_from(task: &Task) -> Option<&str> {
    let labels = task.spec.as_ref()?.container_spec.as_ref()?.labels.as_ref()?;
    labels.get(TEMPLATE).map(String::as_str)
}

/// Why nothing runs in a place: several in a row have failed, or no machine takes it.
fn failure(place: &[&Task]) -> Option<String> {
    let newest = *place.first()?;
    let is_at_rest = !has_ended(newest) && state(newest) != TaskState::RUNNING;
    if !is_wanted(newest) && !has_ended(newest) || state(newest) == TaskState::RUNNING {
        return None;
    }
    if state(newest) == TaskState::PENDING && error(newest).is_some() {
        return error(newest);
    }
    let failed = place.iter().skip(usize::from(is_at_rest)).take_while(|task| has_failed(task));
    let failed: Vec<&&Task> = failed.collect();
    if failed.len() < FAILURES_MAX as usize {
        return None;
    }
    failed.first().map(|task| error(task).unwrap_or_else(|| "it has ended".to_owned()))
}

/// Whether it has ended as soon as it was started. It is made before the pause that stands before its start.
fn has_failed(task: &Task) -> bool {
    let seconds = |text: Option<&String>| text.and_then(|text| moment::seconds(text));
    let ended = seconds(task.status.as_ref().and_then(|status| status.timestamp.as_ref()));
    let lived = ended.zip(seconds(task.created_at.as_ref())).map(|(ended, made)| ended.saturating_sub(made));
    let early = i64::try_from((EARLY + RESTART_DELAY).as_secs()).unwrap_or(i64::MAX);
    let failed = [TaskState::FAILED, TaskState::REJECTED, TaskState::COMPLETE].contains(&state(task));
    failed && lived.is_none_or(|lived| lived < early)
}

fn error(task: &Task) -> Option<String> {
    task.status.as_ref()?.err.clone().filter(|error| !error.is_empty())
}
