//! Reads what is in a value of JSON without building it: however deep it is, that takes no stack.

use std::ops::Range;

/// Whether a body is an object or a list, whatever it is said to be.
pub(super) fn starts_as_json(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Where the texts and numbers stand in a value of JSON that is known to be one. Names of members are none of them.
pub(super) fn leaves(json: &str) -> Vec<Range<usize>> {
    let bytes = json.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'"' => at + text_len(&bytes[at..]),
            b'-' | b'0'..=b'9' => at + number_len(&bytes[at..]),
            _ => {
                at += 1;
                continue;
            }
        };
        if bytes[end..].trim_ascii_start().first() != Some(&b':') {
            found.push(at..end);
        }
        at = end;
    }
    found
}

/// What a leaf says, and what stands there for it.
pub(super) fn texts(leaf: &str) -> Vec<String> {
    let bare = leaf.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(leaf);
    let said = serde_json::from_str::<String>(leaf).ok().filter(|said| said != bare);
    said.into_iter().chain([bare.to_owned()]).filter(|text| !text.is_empty()).collect()
}

/// The length of a text with its quotes.
fn text_len(bytes: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return bytes.len(),
        }
    }
}

fn number_len(bytes: &[u8]) -> usize {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    bytes.iter().take_while(|byte| is_part(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_are_found_and_names_are_not() {
        let json = r#"{"a" : "x\"\\", "b":[-1.5e+3, true, "", {"c":null}], "d" :{"e": 12}}"#;
        let found: Vec<&str> = leaves(json).into_iter().map(|leaf| &json[leaf]).collect();
        assert_eq!(found, [r#""x\"\\""#, "-1.5e+3", r#""""#, "12"]);
        let said: Vec<Vec<String>> = found.into_iter().map(texts).collect();
        assert_eq!(said, [vec!["x\"\\", "x\\\"\\\\"], vec!["-1.5e+3"], vec![], vec!["12"]]);
        assert!(leaves(&"[".repeat(1 << 18)).is_empty());
    }
}
