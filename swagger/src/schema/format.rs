//! The formats that are asserted, and what they mean for the limits beside them.

use serde_json::{Map, Value, json};

/// Formats that the validator asserts; others are notes to the reader.
const ASSERTED: &[&str] = &["date", "date-time", "uuid", "email", "ipv4", "ipv6", "uri", BYTE];

/// Base64 in a string.
pub(crate) const BYTE: &str = "byte";

/// Keeps formats that are asserted and turns number formats into ranges.
pub(crate) fn mend(lowered: &mut Map<String, Value>) {
    let Some(format) = lowered.remove("format") else { return };
    match format.as_str() {
        Some("int32") => range(lowered, json!(i32::MIN), json!(i32::MAX)),
        Some("int64") => range(lowered, json!(i64::MIN), json!(i64::MAX)),
        Some("binary") => loosen(lowered),
        Some(name) if ASSERTED.contains(&name) => drop(lowered.insert("format".to_owned(), format)),
        _ => {}
    }
}

/// Limits of the format, where the schema sets none.
fn range(lowered: &mut Map<String, Value>, minimum: Value, maximum: Value) {
    if !has_type(lowered, "integer") {
        return;
    }
    for (limit, exclusive, value) in
        [("minimum", "exclusiveMinimum", minimum), ("maximum", "exclusiveMaximum", maximum)]
    {
        if !lowered.contains_key(limit) && !lowered.contains_key(exclusive) {
            lowered.insert(limit.to_owned(), value);
        }
    }
}

fn has_type(lowered: &Map<String, Value>, name: &str) -> bool {
    match lowered.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(names)) => names.iter().any(|one| one == name),
        _ => false,
    }
}

/// Bytes are not characters: a binary string keeps only its type.
fn loosen(lowered: &mut Map<String, Value>) {
    lowered.retain(|name, _| name == "type");
}

/// RFC 4648 base64 with padding, as OpenAPI means by `byte`.
pub(crate) fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_told_from_other_text() {
        for text in ["", "TQ==", "TWE=", "TWFu"] {
            assert!(is_base64(text), "{text}");
        }
        for text in ["T", "TQ=", "T===", "TW u", "TW==Fu=="] {
            assert!(!is_base64(text), "{text}");
        }
    }
}
