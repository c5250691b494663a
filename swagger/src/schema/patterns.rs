//! Bounds the memory that all patterns of a document take together.

use serde_json::Value;

use super::{compile::PATTERN_BYTES_MAX, schemas::Entry};

/// Memory for the patterns of one document, as estimated below.
const TOTAL_BYTES_MAX: usize = 1 << 30;
/// A character class of Unicode letters takes some 15 kB and is written in five characters.
const BYTES_PER_CHARACTER: usize = 2_000;
/// Counts below this keep a pattern small.
const SMALL_COUNT_DIGITS: usize = 2;

/// The schema at which the patterns become too much, if they do.
pub(crate) fn excess(entries: &[Entry]) -> Option<(String, String)> {
    let mut total = 0_usize;
    for entry in entries {
        total = total.saturating_add(cost(&entry.lowered));
        if total > TOTAL_BYTES_MAX {
            return Some((
                entry.pointer.clone(),
                "the patterns of the document take too much memory".to_owned(),
            ));
        }
    }
    None
}

fn cost(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            members.iter().map(|(name, value)| member_cost(name, value)).fold(0, usize::saturating_add)
        }
        Value::Array(items) => items.iter().map(cost).fold(0, usize::saturating_add),
        _ => 0,
    }
}

fn member_cost(name: &str, value: &Value) -> usize {
    match (name, value) {
        ("pattern", Value::String(pattern)) => pattern_cost(pattern),
        ("patternProperties", Value::Object(members)) => members
            .iter()
            .map(|(pattern, value)| pattern_cost(pattern) + cost(value))
            .fold(0, usize::saturating_add),
        ("enum" | "const", _) => 0,
        _ => cost(value),
    }
}

fn pattern_cost(pattern: &str) -> usize {
    let counts = pattern.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let is_large = counts.flat_map(|count| count.split(',')).any(|digits| digits.len() > SMALL_COUNT_DIGITS);
    let nested = pattern.matches('{').count() > 2;
    let by_length = pattern.len().saturating_mul(BYTES_PER_CHARACTER).min(PATTERN_BYTES_MAX);
    if is_large || nested { PATTERN_BYTES_MAX } else { by_length }
}
