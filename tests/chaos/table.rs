//! What is printed: a line for each run as it ends, everything that spoke against it, and one table of all.

use comfy_table::{Table, presets};

use super::checker::Invariant;
use super::ledger::Fault;
use super::stage::Report;

/// As much evidence as is worth reading; the rest is counted.
const EVIDENCE_MAX: usize = 5;
const HEAD: [&str; 12] = [
    "run",
    "asked",
    "ok",
    "failed",
    "cut",
    "lost",
    "unexpected",
    "duplicated",
    "recovered",
    "late",
    "dead",
    "ok/s before/during/after",
];

/// A table to which runs are added as they end.
pub(crate) struct Summary(Table);

impl Summary {
    pub(crate) fn new() -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let invariants = Invariant::ALL.iter().map(|(_, name)| *name);
        table.set_header(HEAD.into_iter().chain(["back", "p99 ms"]).chain(invariants).chain(["verdict"]));
        Self(table)
    }

    pub(crate) fn add(&mut self, report: &Report) {
        let (counts, goodput) = (&report.verdict.counts, &report.verdict.goodput);
        let mut row = vec![report.name.clone()];
        let numbers = [
            counts.requests,
            counts.succeeded,
            counts.failed,
            counts.unanswered,
            counts.lost,
            counts.unexpected,
            counts.duplicated,
            counts.recovered,
            counts.late,
            counts.dead,
        ];
        row.extend(numbers.iter().map(usize::to_string));
        row.push(format!("{:.0}/{:.0}/{:.0}", goodput.before, goodput.during, goodput.after));
        row.push(goodput.recovery.map_or("never".into(), |took| format!("{:.1}s", took.as_secs_f64())));
        row.push(format!("{}>{}", goodput.p99_before.as_millis(), goodput.p99_since.as_millis()));
        let held = |(invariant, _): &(Invariant, &str)| {
            if report.verdict.holds(*invariant) { "yes" } else { "NO" }.to_owned()
        };
        row.extend(Invariant::ALL.iter().map(held));
        row.push(verdict(report).to_owned());
        self.0.add_row(row);
    }

    /// A run that could not be performed to its end.
    pub(crate) fn add_broken(&mut self, name: &str) {
        let blanks = HEAD.len() + 1 + Invariant::ALL.len();
        let row = [name].into_iter().chain(std::iter::repeat_n("-", blanks)).chain(["BROKEN"]);
        self.0.add_row(row);
    }

    pub(crate) fn print(&self) {
        println!("\n{}", self.0.trim_fmt());
    }
}

/// Says how a run ended, and everything that spoke against it.
pub(crate) fn tell(report: &Report) {
    for Fault { what, start, end, .. } in &report.faults {
        println!("  {:.2}-{:.2}s {what}", start.as_secs_f64(), end.as_secs_f64());
    }
    for figure in &report.figures {
        println!("  {figure}");
    }
    println!("  {}", verdict(report));
    for (invariant, evidence) in &report.verdict.broken {
        list(&format!("{invariant:?}"), evidence);
    }
    list("complaint", &report.complaints);
}

fn list(what: &str, evidence: &[String]) {
    for line in evidence.iter().take(EVIDENCE_MAX) {
        println!("    {what}: {line}");
    }
    if let Some(more) = evidence.len().checked_sub(EVIDENCE_MAX).filter(|more| *more > 0) {
        println!("    {what}: and {more} more");
    }
}

fn verdict(report: &Report) -> &'static str {
    if report.is_good() { "good" } else { "BAD" }
}
