//! The table of what came out.

use std::fmt::Write;

use crate::comparison::{Comparison, Kind};

/// All comparisons, as a table in Markdown.
pub(crate) fn of(comparisons: &[Comparison]) -> String {
    let mut text = String::from(
        "| trace | policy | requests | late | late % | p99 wait, s | runner-seconds | of the oracle's | busy % | turns |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for comparison in comparisons {
        let oracle = comparison.outcome(Kind::Oracle).map_or(0.0, |oracle| oracle.runner_seconds);
        for row in &comparison.rows {
            let outcome = &row.outcome;
            // Writing to a text does not fail.
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {:.2} | {:.2} | {:.0} | {:.3} | {:.1} | {} |",
                comparison.trace,
                row.policy,
                outcome.requests,
                outcome.late,
                outcome.late_part() * 100.0,
                outcome.wait_p99,
                outcome.runner_seconds,
                outcome.runner_seconds / oracle,
                100.0 * comparison.demand.iter().sum::<f64>() / outcome.runner_seconds,
                outcome.turns,
            );
        }
    }
    text
}
