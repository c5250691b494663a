//! `Report`: what a replay came to, operation by operation.

use std::collections::BTreeMap;
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
/// Places that are passed over that a person is shown.
const PLACES_SHOWN_MAX: usize = 10;
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
}

impl Report {
    pub(crate) fn of(file: &CaptureFile, survey: &Survey, outcomes: Vec<Outcome>, noise: &Noise) -> Self {
        let mut operations: BTreeMap<String, Operation> = BTreeMap::new();
        for outcome in &outcomes {
            let operation = operations.entry(name(outcome).to_owned()).or_default();
            operation.calls += 1;
            operation.different += usize::from(outcome.is_trouble());
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
            operations,
            outcomes,
            passed,
        }
    }

    /// Whether every answer that could be compared is the same, and there was one.
    pub(crate) fn is_same(&self) -> bool {
        self.same > 0 && self.different == 0 && self.failed == 0
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
        format!("{} {}", self.method, shown(&self.path))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, Operation { calls, different }) in &self.operations {
            let name = shown(name);
            if *different == 0 {
                writeln!(f, "{name}: {}", Count(*calls, "call"))?;
                continue;
            }
            writeln!(f, "{name}: {different} of {} differ", Count(*calls, "call"))?;
            for outcome in self.of_operation(&name).take(CALLS_SHOWN_MAX) {
                write_outcome(f, outcome)?;
            }
            if let Some(more) = different.checked_sub(CALLS_SHOWN_MAX).filter(|more| *more > 0) {
                writeln!(f, "  … and {more} more; -o json has them all")?;
            }
        }
        self.write_skipped(f)?;
        for place in self.noise.iter().take(PLACES_SHOWN_MAX) {
            writeln!(f, "passed over, since it differs anyway: {}", shown(place))?;
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

fn write_outcome(f: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
    writeln!(f, "  {}  at {}  id {}", outcome.title(), clock::utc(outcome.at), outcome.id)?;
    let lines = outcome.lines();
    for line in lines.iter().take(DIFFERENCES_SHOWN_MAX) {
        writeln!(f, "    {line}")?;
    }
    match lines.len().checked_sub(DIFFERENCES_SHOWN_MAX) {
        Some(more @ 1..) => writeln!(f, "    … and {more} more places"),
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
struct Count(usize, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, noun) = self;
        write!(f, "{count} {noun}{}", if *count == 1 { "" } else { "s" })
    }
}
