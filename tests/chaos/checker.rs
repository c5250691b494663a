//! `Verdict`: whether the invariants held in a run, decided from its ledger alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use uuid::Uuid;

use super::goodput::Goodput;
use super::ledger::{Execution, Ledger, Operation, Outcome, Request, Settled};

/// What every run must keep. The names are those of the invariants they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Invariant {
    /// I1: each request on a connection that was accepted gets exactly one answer, and it is its own.
    OneAnswer,
    /// I2: it comes by the deadline and a second.
    InTime,
    /// I3: what was accepted with a 202 is executed or among the dead letters.
    NothingLost,
    /// I4: nothing is executed that was not asked, nor twice without a cause, nor twice at all if it cannot be
    /// repeated. A hop that is cut off after it passed a call on passes it on again, so that a number of an
    /// attempt can come twice.
    NothingInvented,
    /// I5: what was refused as not executed was not executed.
    HonestRefusal,
    /// I6: what ends runners ends as a dead letter that says why, and takes no innocent along.
    PoisonContained,
    /// I10: at rest nothing is left under way, and every success was an execution.
    BooksBalance,
    /// I11: goodput is back within ten seconds of the fault's end.
    Recovered,
}

/// What the invariants are measured against.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// How long the platform gives a synchronous call.
    pub(crate) deadline: Duration,
    pub(crate) attempts_max: u32,
}

/// What came of a run.
pub(crate) struct Verdict {
    /// What spoke against an invariant; one that is not in here held.
    pub(crate) broken: BTreeMap<Invariant, Vec<String>>,
    pub(crate) counts: Counts,
    pub(crate) goodput: Goodput,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) requests: usize,
    pub(crate) succeeded: usize,
    /// Answered with an error.
    pub(crate) failed: usize,
    /// Without an answer, since the connection ended or nothing came.
    pub(crate) unanswered: usize,
    /// Promised, and neither executed nor given up.
    pub(crate) lost: usize,
    /// Executed without having been asked for.
    pub(crate) unexpected: usize,
    /// Executed more than once.
    pub(crate) duplicated: usize,
    /// Executed again after a runner was lost, and answered well.
    pub(crate) recovered: usize,
    /// Answered after the deadline and a second.
    pub(crate) late: usize,
    pub(crate) dead: usize,
}

/// How much later than its deadline an answer may come: the frontend waits a moment longer than the others.
const GRACE: Duration = Duration::from_secs(1);
const RECOVERY_MAX: Duration = Duration::from_secs(10);

impl Invariant {
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::OneAnswer, "I1"),
        (Self::InTime, "I2"),
        (Self::NothingLost, "I3"),
        (Self::NothingInvented, "I4"),
        (Self::HonestRefusal, "I5"),
        (Self::PoisonContained, "I6"),
        (Self::BooksBalance, "I10"),
        (Self::Recovered, "I11"),
    ];
}

impl Verdict {
    pub(crate) fn of(ledger: &Ledger, limits: Limits) -> Self {
        let goodput = Goodput::of(ledger, limits.deadline + GRACE);
        let mut check = Check { ledger, limits, executed: executed(ledger), verdict: Self::empty(goodput) };
        check.answers();
        check.promises();
        check.executions();
        check.dead_letters();
        check.books();
        check.recovery();
        check.verdict
    }

    fn empty(goodput: Goodput) -> Self {
        Self { broken: BTreeMap::new(), counts: Counts::default(), goodput }
    }

    pub(crate) fn holds(&self, invariant: Invariant) -> bool {
        !self.broken.contains_key(&invariant)
    }
}

struct Check<'a> {
    ledger: &'a Ledger,
    limits: Limits,
    /// The executions of each id in the order in which the sink saw them.
    executed: HashMap<Uuid, Vec<&'a Execution>>,
    verdict: Verdict,
}

fn executed(ledger: &Ledger) -> HashMap<Uuid, Vec<&Execution>> {
    let mut executed: HashMap<Uuid, Vec<&Execution>> = HashMap::new();
    for execution in &ledger.executions {
        executed.entry(execution.id).or_default().push(execution);
    }
    executed
}

impl Check<'_> {
    fn breaks(&mut self, invariant: Invariant, evidence: String) {
        self.verdict.broken.entry(invariant).or_default().push(evidence);
    }

    fn attempts(&self, id: Uuid) -> &[&Execution] {
        self.executed.get(&id).map_or(&[], Vec::as_slice)
    }

    /// I1, I2, I5, and that a success was an execution.
    fn answers(&mut self) {
        for request in &self.ledger.requests {
            self.verdict.counts.requests += 1;
            match &request.outcome {
                Outcome::Answered(_) => self.answer(request),
                Outcome::Refused => self.verdict.counts.failed += 1,
                Outcome::Cut { at, why } => {
                    self.verdict.counts.unanswered += 1;
                    if !self.was_killed(request, *at) {
                        self.breaks(Invariant::OneAnswer, format!("{} cut off: {why}", told(request)));
                    }
                }
                Outcome::Silent => {
                    self.verdict.counts.unanswered += 1;
                    self.breaks(Invariant::OneAnswer, format!("{} no answer", told(request)));
                    self.breaks(Invariant::InTime, format!("{} no answer", told(request)));
                }
            }
        }
    }

    fn answer(&mut self, request: &Request) {
        let Some(answered) = request.answered() else { return };
        let counts = &mut self.verdict.counts;
        *if request.succeeded() { &mut counts.succeeded } else { &mut counts.failed } += 1;
        if answered.id != Some(request.id) {
            let evidence = format!("{} the answer is for {:?}", told(request), answered.id);
            self.breaks(Invariant::OneAnswer, evidence);
        }
        let latency = answered.at.saturating_sub(request.at);
        if latency > self.limits.deadline + GRACE {
            self.verdict.counts.late += 1;
            self.breaks(Invariant::InTime, format!("{} took {latency:?}", told(request)));
        }
        let attempts = self.attempts(request.id);
        let (count, last) = (attempts.len(), attempts.last().map_or(0, |execution| execution.attempt));
        if answered.status == 503 && count > 0 {
            self.breaks(Invariant::HonestRefusal, format!("{} executed {count} times", told(request)));
        }
        // A result of a call that nobody waited for is one as well.
        let has_result = match request.asynchronous {
            true => request.settled == Some(Settled::Done),
            false => request.succeeded(),
        };
        if has_result && count == 0 {
            self.breaks(Invariant::BooksBalance, format!("{} never executed", told(request)));
        }
        if request.succeeded() && last > 1 {
            self.verdict.counts.recovered += 1;
        }
    }

    fn was_killed(&self, request: &Request, at: Duration) -> bool {
        let mut faults = self.ledger.faults.iter();
        faults.any(|fault| fault.killed_frontend == Some(request.frontend) && fault.touches(request.at, at))
    }

    /// I3.
    fn promises(&mut self) {
        let dead: HashSet<Uuid> = self.ledger.dead.iter().filter_map(|letter| letter.id).collect();
        for request in self.ledger.requests.iter().filter(|request| request.is_promised()) {
            let is_kept = self.executed.contains_key(&request.id) || dead.contains(&request.id);
            let is_open = request.settled == Some(Settled::Open);
            if !is_kept {
                self.verdict.counts.lost += 1;
            }
            if !is_kept || is_open {
                let (told, settled) = (told(request), request.settled);
                let evidence = format!("{told} executed or dead: {is_kept}, it is {settled:?}");
                self.breaks(Invariant::NothingLost, evidence);
            }
        }
    }

    /// I4.
    fn executions(&mut self) {
        let asked: HashMap<Uuid, &Request> =
            self.ledger.requests.iter().map(|request| (request.id, request)).collect();
        let attempts_max = self.limits.attempts_max;
        for (id, executions) in std::mem::take(&mut self.executed) {
            let attempts: Vec<u32> = executions.iter().map(|execution| execution.attempt).collect();
            let Some(request) = asked.get(&id).filter(|request| request.outcome != Outcome::Refused) else {
                self.verdict.counts.unexpected += 1;
                self.breaks(Invariant::NothingInvented, format!("{id} was executed and not asked for"));
                continue;
            };
            let in_range = attempts.iter().all(|attempt| (1..=attempts_max).contains(attempt));
            if !in_range || (attempts.len() > 1 && !request.operation.is_repeatable()) {
                let evidence = format!("{} attempts {attempts:?}", told(request));
                self.breaks(Invariant::NothingInvented, evidence);
            }
            if executions.len() > 1 {
                self.duplicate(request, &executions);
            }
            self.executed_whole(request, &executions);
            self.executed.insert(id, executions);
        }
    }

    fn duplicate(&mut self, request: &Request, executions: &[&Execution]) {
        self.verdict.counts.duplicated += 1;
        let until = executions.iter().map(|execution| execution.at).max().unwrap_or(request.at);
        if !self.ledger.faults.iter().any(|fault| fault.touches(request.at, until)) {
            let times = executions.len();
            self.breaks(Invariant::NothingInvented, format!("{} {times} times for no reason", told(request)));
        }
    }

    /// One version of the Func is deployed.
    fn executed_whole(&mut self, request: &Request, executions: &[&Execution]) {
        let first = executions.first().map(|execution| execution.version.as_str());
        if executions.iter().any(|execution| Some(execution.version.as_str()) != first) {
            self.breaks(Invariant::NothingInvented, format!("{} by two versions", told(request)));
        }
    }

    /// I6.
    fn dead_letters(&mut self) {
        self.verdict.counts.dead = self.ledger.dead.len();
        let poison = |request: &&Request| request.operation == Operation::Poison;
        for request in self.ledger.requests.iter().filter(poison) {
            if self.attempts(request.id).is_empty() {
                continue;
            }
            let mut letters = self.ledger.dead.iter().filter(|letter| letter.id == Some(request.id));
            let says_why = |attempts: u32, reason: &str, last_error: &str| {
                attempts == self.limits.attempts_max && !reason.is_empty() && !last_error.is_empty()
            };
            match letters.next() {
                None => self.breaks(Invariant::PoisonContained, format!("{} no letter", told(request))),
                Some(letter) if says_why(letter.attempts, &letter.reason, &letter.last_error) => {}
                Some(letter) => {
                    let evidence = format!(
                        "{} letter after {} attempts, reason {:?}, last error {:?}",
                        told(request),
                        letter.attempts,
                        letter.reason,
                        letter.last_error,
                    );
                    self.breaks(Invariant::PoisonContained, evidence);
                }
            }
        }
        self.innocents();
    }

    /// A call that may not be repeated ends among the dead letters when its runner does; no other should.
    fn innocents(&mut self) {
        let guilty =
            |request: &&Request| request.operation == Operation::Poison || !request.operation.is_repeatable();
        let guilty: HashSet<Uuid> =
            self.ledger.requests.iter().filter(guilty).map(|request| request.id).collect();
        for letter in &self.ledger.dead {
            if !letter.id.is_some_and(|id| guilty.contains(&id)) {
                let evidence = format!("{:?} among the dead letters: {}", letter.id, letter.reason);
                self.breaks(Invariant::PoisonContained, evidence);
            }
        }
    }

    /// I10.
    fn books(&mut self) {
        for (queue, messages) in &self.ledger.left {
            self.breaks(Invariant::BooksBalance, format!("{messages} messages are left in {queue}"));
        }
    }

    /// I11.
    fn recovery(&mut self) {
        if self.ledger.faults.is_empty() {
            return;
        }
        let goodput = &self.verdict.goodput;
        if goodput.recovery.is_none_or(|took| took > RECOVERY_MAX) {
            let evidence = format!("recovery {:?}, per second {:?}", goodput.recovery, goodput.per_second);
            self.breaks(Invariant::Recovered, evidence);
        }
    }
}

fn told(request: &Request) -> String {
    let Request { id, operation, asynchronous, at, outcome, .. } = request;
    let kind = if *asynchronous { "asynchronous " } else { "" };
    let status = match outcome {
        Outcome::Answered(answered) => format!("{} {:?}", answered.status, answered.problem),
        _ => "unanswered".to_owned(),
    };
    format!("{kind}{operation:?} {id} at {:.2}s ({status}):", at.as_secs_f64())
}
