//! `Page`: all metrics at one moment, and how they are written.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::metric::Kind;
use crate::timing::Exemplar;
use crate::{Format, Metric, Timing};

/// Series of one metric: what a person can look through, and a store takes from one member without a thought. Those
/// that come later are one together.
const SERIES_MAX: usize = 1_000;

/// The value of every label of what is too much to tell apart.
const OTHER: &str = "other";

/// All metrics at one moment.
#[derive(Debug, Default)]
pub struct Page {
    families: BTreeMap<&'static str, Family>,
}

#[derive(Debug)]
struct Family {
    metric: &'static Metric,
    /// By the values of their labels.
    series: BTreeMap<Vec<String>, Value>,
}

#[derive(Debug)]
enum Value {
    Number(f64),
    Timing(Box<Timing>),
}

impl Page {
    /// Says that there are these metrics, also when there is nothing to tell of them yet.
    pub fn declare(&mut self, metrics: &[&'static Metric]) {
        metrics.iter().for_each(|metric| _ = self.family(metric));
    }

    /// Adds to a number, which may be of several series that cannot be told apart. `labels` are the values of the
    /// metric's labels.
    pub fn add(&mut self, metric: &'static Metric, labels: &[&str], number: f64) {
        let value = self.family(metric).value(labels, || Value::Number(0.0));
        if let Value::Number(sum) = value {
            *sum += number;
        }
    }

    /// The same of what is counted.
    #[allow(clippy::cast_precision_loss, reason = "exact up to 2^53, which nobody counts to")]
    pub fn count(&mut self, metric: &'static Metric, labels: &[&str], count: u64) {
        self.add(metric, labels, count as f64);
    }

    /// Adds how often something took how long.
    pub fn time(&mut self, metric: &'static Metric, labels: &[&str], timing: &Timing) {
        let value = self.family(metric).value(labels, || Value::Timing(Box::default()));
        if let Value::Timing(sum) = value {
            sum.merge(timing);
        }
    }

    /// Writes it.
    pub fn render(&self, format: Format) -> String {
        let mut text = String::new();
        for family in self.families.values() {
            family.render(format, &mut text);
        }
        if format == Format::OpenMetrics {
            text.push_str("# EOF\n");
        }
        text
    }

    fn family(&mut self, metric: &'static Metric) -> &mut Family {
        self.families.entry(metric.name).or_insert_with(|| Family { metric, series: BTreeMap::new() })
    }
}

impl Family {
    fn value(&mut self, labels: &[&str], new: impl FnOnce() -> Value) -> &mut Value {
        debug_assert_eq!(labels.len(), self.metric.labels.len(), "labels of {}", self.metric.name);
        let mut key: Vec<String> = labels.iter().map(ToString::to_string).collect();
        // One place is for the others.
        if self.series.len() + 1 >= SERIES_MAX && !self.series.contains_key(&key) {
            key.fill(OTHER.to_owned());
        }
        self.series.entry(key).or_insert_with(new)
    }

    fn render(&self, format: Format, text: &mut String) {
        let Metric { name, help, kind, .. } = self.metric;
        let suffix = if *kind == Kind::Counter { "_total" } else { "" };
        let family = if format == Format::OpenMetrics { "" } else { suffix };
        // What is written into a string arrives there.
        let _ = writeln!(text, "# HELP {name}{family} {help}\n# TYPE {name}{family} {}", kind.as_str());
        for (labels, value) in &self.series {
            let labels: Vec<_> =
                self.metric.labels.iter().copied().zip(labels.iter().map(String::as_str)).collect();
            match value {
                Value::Number(number) => sample(text, name, suffix, &labels, None, *number),
                Value::Timing(timing) => time(text, format, name, &labels, timing),
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "exact up to 2^53, which nobody counts to")]
fn time(text: &mut String, format: Format, name: &str, labels: &[(&str, &str)], timing: &Timing) {
    for (bound, count, exemplar) in timing.cumulative() {
        sample(text, name, "_bucket", labels, Some(bound), count as f64);
        if let Some(exemplar) = exemplar.filter(|_| format == Format::OpenMetrics) {
            exemplify(text, &exemplar);
        }
    }
    sample(text, name, "_sum", labels, None, timing.sum_seconds());
    sample(text, name, "_count", labels, None, timing.count() as f64);
}

/// Ends the line before with one of those that it counts.
#[allow(clippy::cast_precision_loss, reason = "seconds")]
fn exemplify(text: &mut String, exemplar: &Exemplar) {
    let Exemplar { context, micros, at } = exemplar;
    text.truncate(text.trim_end().len());
    let (seconds, at) = (*micros as f64 / 1e6, *at as f64 / 1e9);
    // What is written into a string arrives there.
    let _ = writeln!(
        text,
        " # {{trace_id=\"{}\",span_id=\"{}\"}} {seconds} {at:.3}",
        context.trace_id(),
        context.span_id()
    );
}

/// One line. The bound of a bucket is the label that comes last.
fn sample(
    text: &mut String,
    name: &str,
    suffix: &str,
    labels: &[(&str, &str)],
    le: Option<&str>,
    value: f64,
) {
    text.push_str(name);
    text.push_str(suffix);
    // A label without a value is the same as none.
    let labels =
        labels.iter().copied().filter(|(_, value)| !value.is_empty()).chain(le.map(|bound| ("le", bound)));
    let mut opening = '{';
    for (label, value) in labels {
        text.push(opening);
        text.push_str(label);
        text.push_str("=\"");
        escape(text, value);
        text.push('"');
        opening = ',';
    }
    if opening == ',' {
        text.push('}');
    }
    // What is written into a string arrives there.
    let _ = writeln!(text, " {value}");
}

fn escape(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            _ => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests;
