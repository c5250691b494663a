//! Values of somebody else as a person can read them: short, and without what a terminal obeys.

use serde_json::Value;

/// Long enough to recognise a value by, short enough for a line.
const CHARS_MAX: usize = 120;

/// The text, shortened, on one line and without control characters or what changes the direction of writing.
pub fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (at, char) in text.chars().enumerate() {
        if at == CHARS_MAX {
            shown.push('…');
            break;
        }
        if char.is_control() || is_invisible(char) {
            shown.extend(char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    shown
}

/// The value as JSON, shortened likewise.
pub(crate) fn json(value: &Value) -> String {
    match value {
        // Cut before it is quoted, so that the quotes stay.
        Value::String(text) => format!("\"{}\"", shown(text)),
        other => shown(&other.to_string()),
    }
}

/// Characters that are not seen themselves and change how others are.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
