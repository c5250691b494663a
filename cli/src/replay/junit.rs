//! A report in JUnit's format, which build servers show.

use std::fs::File;
use std::io::{self, Write};

use compare::shown;

use super::outcome::{Outcome, Verdict};
use super::report::{Report, name};

/// Writes the report.
pub(crate) fn write(mut file: &File, report: &Report) -> io::Result<()> {
    file.write_all(xml(report).as_bytes())
}

fn xml(report: &Report) -> String {
    let suite = format!(
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        escaped(&report.file),
        report.calls,
        report.different,
        report.failed,
        report.skipped,
    );
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n{suite}\n");
    for outcome in report.passed.iter().chain(&report.outcomes) {
        xml.push_str(&case(outcome));
    }
    xml.push_str("</testsuite>\n</testsuites>\n");
    xml
}

fn case(outcome: &Outcome) -> String {
    let (operation, title) = (escaped(name(outcome)), escaped(&outcome.title()));
    let head = format!("<testcase classname=\"{operation}\" name=\"{title} {}\"", outcome.id);
    #[expect(clippy::cast_precision_loss, reason = "a call takes no years")]
    let time = outcome.took_us.map_or_else(String::new, |us| format!(" time=\"{:.6}\"", us as f64 / 1e6));
    let lines = outcome.lines();
    let first = lines.first().map(|line| escaped(line)).unwrap_or_default();
    let all = lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\n");
    match &outcome.verdict {
        Verdict::Same => format!("{head}{time}/>\n"),
        Verdict::Skipped(_) => format!("{head}{time}><skipped message=\"{first}\"/></testcase>\n"),
        Verdict::Different(_) => {
            format!("{head}{time}><failure message=\"{first}\">{all}</failure></testcase>\n")
        }
        Verdict::Failed(_) => format!("{head}{time}><error message=\"{first}\">{all}</error></testcase>\n"),
    }
}

/// Text as XML may hold it.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for char in shown(text).chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_func_says_ends_an_attribute() {
        assert_eq!(escaped("a\"<b>&\u{0}'"), "a&quot;&lt;b&gt;&amp;\\u{0}'");
    }
}
