//! Ledgers made by hand, each with one thing wrong.

use std::time::Duration;

use uuid::Uuid;

use crate::chaos::checker::{Counts, Invariant, Limits, Verdict};
use crate::chaos::ledger::{
    Answered, Execution, Fault, GivenUp, Ledger, Operation, Outcome, Request, Settled,
};

const LIMITS: Limits = Limits { deadline: Duration::from_secs(4), attempts_max: 3 };
const FAULT: Duration = Duration::from_secs(5);

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn answered(number: u128, at: Duration, status: u16) -> Outcome {
    let at = at + Duration::from_millis(10);
    Outcome::Answered(Answered { at, status, id: Some(id(number)), problem: None, location: None })
}

/// A run of 20 seconds with 10 reads a second, a fault at 5 s, and nothing wrong.
fn sound() -> Ledger {
    let mut ledger = Ledger { end: Duration::from_secs(20), ..Ledger::default() };
    for number in 0..200 {
        let at = Duration::from_millis(number * 100);
        let number = u128::from(number);
        ledger.requests.push(Request {
            id: id(number),
            operation: Operation::Read,
            asynchronous: false,
            at,
            frontend: 0,
            outcome: answered(number, at, 200),
            settled: None,
        });
        ledger.executions.push(execution(number, 1, at));
    }
    ledger.faults.push(Fault::instant("test", FAULT));
    ledger
}

fn execution(number: u128, attempt: u32, at: Duration) -> Execution {
    Execution { id: id(number), attempt, version: "1".into(), at }
}

fn letter(number: u128, attempts: u32, reason: &str) -> GivenUp {
    let last_error = "its runner was lost".to_owned();
    GivenUp { id: Some(id(number)), attempts, reason: reason.into(), last_error }
}

#[track_caller]
fn breaks(ledger: &Ledger, expected: &[Invariant]) -> Counts {
    let verdict = Verdict::of(ledger, LIMITS);
    let broken: Vec<_> = verdict.broken.keys().copied().collect();
    assert_eq!(broken, expected, "{:?}", verdict.broken);
    verdict.counts
}

#[test]
fn a_sound_run_breaks_nothing() {
    let counts = breaks(&sound(), &[]);
    assert_eq!(counts, Counts { requests: 200, succeeded: 200, ..Counts::default() });
}

#[test]
fn an_answer_for_another_request_is_noticed() {
    let mut ledger = sound();
    ledger.requests[3].outcome = answered(4, ledger.requests[3].at, 200);
    breaks(&ledger, &[Invariant::OneAnswer]);
}

#[test]
fn only_a_killed_frontend_may_leave_its_connections_unanswered() {
    let mut ledger = sound();
    let at = ledger.requests[50].at;
    ledger.requests[50].outcome = Outcome::Cut { at, why: "reset".into() };
    breaks(&ledger, &[Invariant::OneAnswer]);
    ledger.faults[0].killed_frontend = Some(1);
    breaks(&ledger, &[Invariant::OneAnswer]);
    ledger.faults[0].killed_frontend = Some(0);
    assert_eq!(breaks(&ledger, &[]).unanswered, 1);
}

#[test]
fn silence_and_lateness_are_noticed() {
    let mut ledger = sound();
    ledger.requests[60].outcome = Outcome::Silent;
    breaks(&ledger, &[Invariant::OneAnswer, Invariant::InTime]);
    let mut ledger = sound();
    ledger.requests[60].outcome = answered(60, Duration::from_millis(6_000 + 5_001), 504);
    assert_eq!(breaks(&ledger, &[Invariant::InTime]).late, 1);
}

#[test]
fn a_promise_is_kept_by_an_execution_or_a_dead_letter() {
    let mut ledger = sound();
    let request = &mut ledger.requests[70];
    request.asynchronous = true;
    request.operation = Operation::Append;
    request.outcome = answered(70, request.at, 202);
    breaks(&ledger, &[]);
    ledger.executions.retain(|execution| execution.id != id(70));
    assert_eq!(breaks(&ledger, &[Invariant::NothingLost]).lost, 1);
    ledger.dead.push(letter(70, 1, "not repeatable"));
    breaks(&ledger, &[]);
    ledger.requests[70].settled = Some(Settled::Open);
    breaks(&ledger, &[Invariant::NothingLost]);
    ledger.requests[70].settled = Some(Settled::Done);
    breaks(&ledger, &[Invariant::BooksBalance]);
    ledger.requests[70].settled = Some(Settled::Failed);
    breaks(&ledger, &[]);
}

#[test]
fn an_execution_that_nobody_asked_for_is_noticed() {
    let mut ledger = sound();
    ledger.executions.push(execution(9_999, 1, FAULT));
    assert_eq!(breaks(&ledger, &[Invariant::NothingInvented]).unexpected, 1);
    let mut ledger = sound();
    ledger.requests[51].outcome = Outcome::Refused;
    breaks(&ledger, &[Invariant::NothingInvented]);
}

#[test]
fn a_call_in_flight_at_the_fault_may_be_executed_again() {
    let mut ledger = sound();
    ledger.executions.push(execution(50, 2, FAULT));
    let counts = breaks(&ledger, &[]);
    assert_eq!((counts.duplicated, counts.recovered), (1, 1));
    let mut ledger = sound();
    ledger.executions.push(execution(50, 4, FAULT));
    breaks(&ledger, &[Invariant::NothingInvented]);
    let mut ledger = sound();
    ledger.executions.push(execution(150, 2, ledger.requests[150].at));
    breaks(&ledger, &[Invariant::NothingInvented]);
}

#[test]
fn what_cannot_be_repeated_is_executed_once() {
    let mut ledger = sound();
    ledger.requests[50].operation = Operation::Append;
    breaks(&ledger, &[]);
    ledger.executions.push(execution(50, 2, FAULT));
    breaks(&ledger, &[Invariant::NothingInvented]);
}

#[test]
fn a_refusal_must_be_true() {
    let mut ledger = sound();
    ledger.requests[52].outcome = answered(52, ledger.requests[52].at, 503);
    breaks(&ledger, &[Invariant::HonestRefusal]);
    ledger.executions.retain(|execution| execution.id != id(52));
    assert_eq!(breaks(&ledger, &[]).failed, 1);
}

#[test]
fn poison_must_end_as_a_dead_letter_after_all_its_attempts() {
    let mut ledger = sound();
    ledger.requests[53].operation = Operation::Poison;
    ledger.requests[53].outcome = answered(53, ledger.requests[53].at, 502);
    for attempt in 2..=3 {
        ledger.executions.push(execution(53, attempt, FAULT));
    }
    breaks(&ledger, &[Invariant::PoisonContained]);
    ledger.dead.push(letter(53, 2, "given up"));
    breaks(&ledger, &[Invariant::PoisonContained]);
    ledger.dead[0].attempts = 3;
    breaks(&ledger, &[]);
    ledger.dead.push(letter(54, 3, "given up"));
    breaks(&ledger, &[Invariant::PoisonContained]);
}

#[test]
fn a_success_without_an_execution_is_noticed() {
    let mut ledger = sound();
    ledger.executions.retain(|execution| execution.id != id(10));
    breaks(&ledger, &[Invariant::BooksBalance]);
}

#[test]
fn what_is_left_in_a_queue_is_noticed() {
    let mut ledger = sound();
    ledger.left.push(("requests".into(), 1));
    breaks(&ledger, &[Invariant::BooksBalance]);
}

#[test]
fn goodput_must_be_back_within_ten_seconds() {
    let fails_until = |second: u64| {
        let mut ledger = sound();
        ledger.end = Duration::from_secs(20);
        for request in &mut ledger.requests {
            if (FAULT..Duration::from_secs(second)).contains(&request.at) {
                request.outcome = answered(request.id.as_u128(), request.at, 504);
            }
        }
        ledger
    };
    breaks(&fails_until(15), &[]);
    breaks(&fails_until(17), &[Invariant::Recovered]);
    breaks(&fails_until(20), &[Invariant::Recovered]);
    let verdict = Verdict::of(&fails_until(15), LIMITS);
    assert_eq!(verdict.goodput.recovery, Some(Duration::from_secs(10)));
    assert_eq!((verdict.goodput.before, verdict.goodput.after), (10.0, 10.0 / 3.0));
}

#[test]
fn less_that_is_asked_after_the_fault_is_no_less_goodput() {
    let mut ledger = sound();
    let recovery = Verdict::of(&ledger, LIMITS).goodput.recovery;
    assert!(recovery.is_some());
    ledger.requests.retain(|request| request.at < FAULT || request.id.as_u128() % 2 == 0);
    assert_eq!(Verdict::of(&ledger, LIMITS).goodput.recovery, recovery);
}
