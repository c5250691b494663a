//! What a run must keep beside the invariants: which requests its fault may harm.

use super::ledger::{Ledger, Operation, Outcome, Request};
use super::run::Run;

/// The answers with which the platform may say that it could not: nobody knows, not now, not in time.
const HONEST: [u16; 3] = [502, 503, 504];

/// What was harmed that should not have been.
pub(crate) fn complaints(spared: fn(&Request) -> bool, ledger: &Ledger) -> Vec<String> {
    let requests = ledger.requests.iter().filter(|request| request.operation != Operation::Poison);
    let failed: Vec<&Request> = requests.filter(|request| !request.succeeded()).collect();
    let mut complaints: Vec<String> = failed
        .iter()
        .filter(|request| spared(request))
        .map(|request| format!("failed, and should not have: {}", told(request)))
        .collect();
    let dishonest = failed
        .iter()
        .filter(|request| request.answered().is_some_and(|answered| !HONEST.contains(&answered.status)));
    complaints.extend(dishonest.map(|request| format!("a failure of another kind: {}", told(request))));
    complaints.extend(poison(ledger));
    complaints
}

/// The requests that must succeed although the fault happens.
pub(crate) fn spared(run: Run) -> fn(&Request) -> bool {
    match run {
        // Those that it had open are cut off; the invariants see to it that there are no others.
        Run::KillFrontend => |request| !matches!(request.outcome, Outcome::Cut { .. }),
        Run::TermFrontend | Run::SlicedLink => |_| true,
        // What a member had when it ended it may have begun or passed on, so that what cannot be repeated is
        // not. The broker says no more of what a member gives back that is told to stop.
        Run::KillTron
        | Run::TermTron
        | Run::TermRunner
        | Run::KillRunner
        | Run::Poison
        | Run::CrashingFunc => |request| request.operation.is_repeatable(),
        // What waits for a member that is slow or gone may be late, and what it had is unknown.
        _ => |_| false,
    }
}

/// A poisonous call is answered with what became of it.
fn poison(ledger: &Ledger) -> impl Iterator<Item = String> {
    let poison = ledger.requests.iter().filter(|request| request.operation == Operation::Poison);
    let is_answered = |request: &&Request| request.answered().is_some_and(|answered| answered.status == 502);
    poison.filter(move |request| !is_answered(request)).map(|request| format!("no 502: {}", told(request)))
}

fn told(request: &Request) -> String {
    let kind = if request.asynchronous { "asynchronous " } else { "" };
    let outcome = match &request.outcome {
        Outcome::Answered(answered) => {
            format!("{} {}", answered.status, answered.problem.as_deref().unwrap_or_default())
        }
        other => format!("{other:?}"),
    };
    let (id, operation, at) = (request.id, request.operation, request.at.as_secs_f64());
    format!("{kind}{operation:?} {id} at {at:.2}s over frontend {}: {outcome}", request.frontend)
}
