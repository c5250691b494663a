//! `Report`: what a replay came to, operation by operation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use compare::{Noise, shown};
use serde::Serialize;

use super::file::{CaptureFile, Survey};
use super::outcome::{Outcome, Verdict};
use crate::clock;

/// Calls of one operation that a person is shown; `-o json` has them all.
const CALLS_SHOWN_MAX: usize = 10;
/// Differences of one call that a person is shown.
const DIFFERENCES_SHOWN_MAX: usize = 6;
/// Places of one operation that a person is shown, or places that are passed over.
const PLACES_SHOWN_MAX: usize = 10;
/// Places of one operation in which differences are counted: of a map by ids each has its own.
const PLACES_MAX: usize = 1_000;
/// What calls without an operation go by.
const NO_OPERATION: &str = "(no operation)";

/// What a replay came to.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) file: String,
    /// Calls in the file.
    entries: u64,
    pub(crate) calls: usize,
    pub(crate) same: usize,
    pub(crate) different: usize,
    pub(crate) skipped: usize,
    pub(crate) failed: usize,
    /// Places that differ although nothing has changed.
    noise: Vec<String>,
    /// Whether a document says which answers need not be the same.
    described: bool,
    operations: BTreeMap<String, Operation>,
    /// Every call that did not come to the same.
    pub(crate) outcomes: Vec<Outcome>,
    /// Those that did.
    #[serde(skip)]
    pub(crate) passed: Vec<Outcome>,
}

/// What the calls of an operation came to.
#[derive(Debug, Default, Serialize)]
struct Operation {
    calls: usize,
    different: usize,
    failed: usize,
    /// How many of its calls differ there; an item of a list stands for all of them.
    places: BTreeMap<String, usize>,
}

impl Operation {
    fn count(&mut self, outcome: &Outcome) {
        self.calls += 1;
        match &outcome.verdict {
            Verdict::Same | Verdict::Skipped(_) => {}
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Different(differences) => {
                self.different += 1;
                let places: BTreeSet<String> =
                    differences.iter().map(|found| found.place.in_each_item().to_string()).collect();
                for place in places {
                    if self.places.len() < PLACES_MAX || self.places.contains_key(&place) {
                        *self.places.entry(place).or_default() += 1;
                    }
                }
            }
        }
    }

    /// The places in which most calls differ.
    fn most(&self) -> Vec<(&str, usize)> {
        let mut places: Vec<(&str, usize)> =
            self.places.iter().map(|(place, calls)| (place.as_str(), *calls)).collect();
        places.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
        places
    }
}

impl Report {
    pub(crate) fn of(file: &CaptureFile, survey: &Survey, outcomes: Vec<Outcome>, noise: &Noise) -> Self {
        let mut operations: BTreeMap<String, Operation> = BTreeMap::new();
        for outcome in &outcomes {
            operations.entry(name(outcome).to_owned()).or_default().count(outcome);
        }
        let count = |is: fn(&Verdict) -> bool| outcomes.iter().filter(|outcome| is(&outcome.verdict)).count();
        let (same, different) = (
            count(|verdict| matches!(verdict, Verdict::Same)),
            count(|verdict| matches!(verdict, Verdict::Different(_))),
        );
        let (skipped, failed) = (
            count(|verdict| matches!(verdict, Verdict::Skipped(_))),
            count(|verdict| matches!(verdict, Verdict::Failed(_))),
        );
        let calls = outcomes.len();
        let (passed, outcomes) =
            outcomes.into_iter().partition(|outcome| matches!(outcome.verdict, Verdict::Same));
        Self {
            file: file.path.display().to_string(),
            entries: survey.entries,
            calls,
            same,
            different,
            skipped,
            failed,
            noise: noise.places(),
            described: true,
            operations,
            outcomes,
            passed,
        }
    }

    /// Whether every answer that could be compared is the same, and there was one.
    pub(crate) fn is_same(&self) -> bool {
        self.same > 0 && self.different == 0 && self.failed == 0
    }

    /// Whether any answer could be compared.
    pub(crate) fn is_compared(&self) -> bool {
        self.same + self.different > 0
    }

    /// The same report, where it is known whether there was a document.
    pub(crate) fn described(self, described: bool) -> Self {
        Self { described, ..self }
    }

    fn of_operation(&self, operation: &str) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(move |outcome| name(outcome) == operation && outcome.is_trouble())
    }
}

pub(crate) fn name(outcome: &Outcome) -> &str {
    outcome.operation.as_deref().unwrap_or(NO_OPERATION)
}

impl Outcome {
    /// Whether somebody has to look at it.
    pub(crate) fn is_trouble(&self) -> bool {
        matches!(self.verdict, Verdict::Different(_) | Verdict::Failed(_))
    }

    /// What is wrong with it, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        match &self.verdict {
            Verdict::Same => Vec::new(),
            Verdict::Different(differences) => differences.iter().map(ToString::to_string).collect(),
            Verdict::Skipped(why) | Verdict::Failed(why) => vec![shown(why)],
        }
    }

    /// How it is named in one line.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", shown(&self.method), shown(&self.path))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, operation) in &self.operations {
            write_operation(f, &shown(name), operation)?;
            for outcome in self.of_operation(name).take(CALLS_SHOWN_MAX) {
                write_outcome(f, outcome)?;
            }
            let troubles = operation.different + operation.failed;
            if let Some(more) = troubles.checked_sub(CALLS_SHOWN_MAX).filter(|more| *more > 0) {
                writeln!(f, "  … and {more} more; -o json has them all")?;
            }
        }
        self.write_skipped(f)?;
        if !self.described && self.is_compared() {
            writeln!(
                f,
                "compared without a document, which no server here has: ids and times of now count as different; \
                 --noise-from names a bundle with one"
            )?;
        }
        for place in self.noise.iter().take(PLACES_SHOWN_MAX) {
            writeln!(f, "passed over, since it differs anyway: {}", shown(place))?;
        }
        if !self.is_compared() {
            return write!(f, "no call could be run again");
        }
        write!(
            f,
            "{} run again: {} the same, {} different",
            Count(self.calls - self.skipped, "call"),
            self.same,
            self.different
        )?;
        if self.failed > 0 {
            write!(f, ", {} without an answer", self.failed)?;
        }
        if !self.noise.is_empty() {
            write!(f, "; {} passed over", Count(self.noise.len(), "place"))?;
        }
        Ok(())
    }
}

fn write_operation(f: &mut fmt::Formatter<'_>, name: &str, operation: &Operation) -> fmt::Result {
    let Operation { calls, different, failed, .. } = operation;
    write!(f, "{name}: ")?;
    match (different, failed) {
        (0, 0) => return writeln!(f, "{}", Count(*calls, "call")),
        (0, _) => write!(f, "{failed} of {} without an answer", Count(*calls, "call"))?,
        (_, _) => {
            let verb = if *different == 1 { "differs" } else { "differ" };
            write!(f, "{different} of {} {verb}", Count(*calls, "call"))?;
            if *failed > 0 {
                write!(f, ", {failed} without an answer")?;
            }
        }
    }
    writeln!(f)?;
    let places = operation.most();
    // One call says itself where it differs.
    let places = if *different > 1 { places.as_slice() } else { &[] };
    for (place, calls) in places.iter().take(PLACES_SHOWN_MAX) {
        writeln!(f, "  {place}: {calls}")?;
    }
    match places.len().checked_sub(PLACES_SHOWN_MAX) {
        Some(more @ 1..) => writeln!(f, "  … and {} more", Count(more, "place")),
        _ => Ok(()),
    }
}

fn write_outcome(f: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
    writeln!(f, "  {}  at {}  id {}", outcome.title(), clock::utc(outcome.at), outcome.id)?;
    let lines = outcome.lines();
    for line in lines.iter().take(DIFFERENCES_SHOWN_MAX) {
        writeln!(f, "    {line}")?;
    }
    match lines.len().checked_sub(DIFFERENCES_SHOWN_MAX) {
        Some(more @ 1..) => writeln!(f, "    … and {} more", Count(more, "place")),
        _ => Ok(()),
    }
}

impl Report {
    /// How many calls were not run again, by reason.
    fn write_skipped(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for outcome in &self.outcomes {
            if let Verdict::Skipped(why) = &outcome.verdict {
                *reasons.entry(why).or_default() += 1;
            }
        }
        reasons
            .iter()
            .try_for_each(|(why, count)| writeln!(f, "{} not run again: {why}", Count(*count, "call")))
    }
}

/// So many of something.
pub(crate) struct Count(pub(crate) usize, pub(crate) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, noun) = self;
        write!(f, "{count} {noun}{}", if *count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use compare::{Difference, Place};
    use serde_json::json;
    use wire::{ActivationId, RequestId, Timestamp};

    use super::*;

    fn report(verdicts: Vec<Verdict>, operation: &str) -> String {
        let capture = json!({"id": "0".repeat(32), "namespace": "default", "route": "0".repeat(16), "sample": 100,
            "from": 1, "until": 1, "bytes_max": 1, "delete_at": 1, "by": "x"});
        let header = json!({"v": 1, "kind": "funcatron-capture", "at": 1, "capture": capture, "host": "*",
            "base_path": "/", "entries": verdicts.len()});
        let file =
            CaptureFile { path: PathBuf::from("x.jsonl"), header: serde_json::from_value(header).unwrap() };
        let outcome = |verdict| Outcome {
            id: RequestId::generate(),
            activation: ActivationId::generate(),
            operation: Some(operation.to_owned()),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            at: Timestamp(1),
            took_us: None,
            verdict,
        };
        let outcomes = verdicts.into_iter().map(outcome).collect();
        Report::of(&file, &Survey::default(), outcomes, &Noise::default()).to_string()
    }

    fn different() -> Verdict {
        let place = Place::Header("location".to_owned());
        Verdict::Different(vec![Difference { place, expected: None, actual: None }])
    }

    #[test]
    fn many_calls_that_differ_are_summed_up_by_place_and_ten_are_told() {
        let told = report(vec![different(); 12], &"x".repeat(200));
        assert!(
            told.contains("…: 12 of 12 calls differ\n  headers.location: 12\n  GET /  at 1970-"),
            "{told}"
        );
        assert_eq!(told.matches("\n    headers.location: differs\n").count(), 10, "{told}");
        assert!(told.contains("  … and 2 more; -o json has them all\n"), "{told}");
    }

    #[test]
    fn what_did_not_run_is_not_told_to_differ() {
        let failed = || Verdict::Failed("no answer".to_owned());
        assert!(
            report(vec![failed(), failed()], "x").starts_with("x: 2 of 2 calls without an answer\n  GET /")
        );
        assert!(report(vec![failed()], "x").ends_with("\nno call could be run again"));
        let told = report(vec![Verdict::Same, different(), failed()], "x");
        assert!(told.starts_with("x: 1 of 3 calls differs, 1 without an answer\n  GET /"), "{told}");
        assert!(told.ends_with("3 calls run again: 1 the same, 1 different, 1 without an answer"), "{told}");
    }
}
