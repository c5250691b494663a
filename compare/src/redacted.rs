//! Texts out of which something was taken because it is secret.

use serde_json::Value;
use wire::capture::{REDACTED, REDACTED_IN_URL};

use crate::Step;
use crate::difference::pointer;

/// Places of an answer out of which something was taken. Anywhere else the mark is a text like any other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Redacted<'r>(&'r [String]);

impl<'r> Redacted<'r> {
    /// Those of an entry of a capture, of which some may be in other things than the answer.
    pub(crate) fn of(places: &'r [String]) -> Self {
        Self(places)
    }

    fn any(self, is_it: impl Fn(&str) -> bool) -> bool {
        self.0.iter().filter_map(|place| place.strip_prefix("answer.")).any(is_it)
    }

    /// Whether the header of this name, in lower case, is now what it was, but for what was taken out of it.
    pub(crate) fn covers_header(self, name: &str, was: &str, is: &str) -> bool {
        let is_it = |place: &str| match place.strip_prefix("headers") {
            Some(own) => own.is_empty() || own.strip_prefix('.') == Some(name),
            None => false,
        };
        self.any(is_it) && covers(was.as_bytes(), is.as_bytes())
    }

    /// The same of a body that is no JSON.
    pub(crate) fn covers_body(self, was: &[u8], is: &[u8]) -> bool {
        self.any(|place| place.starts_with("body")) && covers(was, is)
    }

    /// The same of the value in a body to which these steps lead.
    pub(crate) fn covers_value(self, steps: &[Step], was: &Value, is: &Value) -> bool {
        let Value::String(was) = was else { return false };
        if self.0.is_empty() || !was.contains(REDACTED) {
            return false;
        }
        let is_text = || is.as_str().is_some_and(|is| covers(was.as_bytes(), is.as_bytes()));
        let pointer = pointer(steps);
        was == REDACTED && self.any(|place| place.strip_prefix("body") == Some(&pointer))
            || self.any(|place| place == "body") && (was == REDACTED || is_text())
    }
}

/// Whether the second text is the first, whatever stands where something was taken out.
fn covers(expected: &[u8], actual: &[u8]) -> bool {
    let mut kept = Pieces(Some(expected));
    let Some(mut left) = kept.next().and_then(|first| actual.strip_prefix(first)) else { return false };
    let mut last: Option<&[u8]> = None;
    for piece in kept {
        // The one before stands somewhere; the last of all stands at the end.
        if let Some(before) = last.replace(piece) {
            let Some(at) = find(left, before) else { return false };
            left = left.get(at + before.len()..).unwrap_or_default();
        }
    }
    last.map_or(left.is_empty(), |last| left.ends_with(last))
}

/// What is left of a text between what was taken out.
struct Pieces<'t>(Option<&'t [u8]>);

impl<'t> Iterator for Pieces<'t> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        let text = self.0.take()?;
        let marks = [REDACTED, REDACTED_IN_URL].into_iter();
        let first = marks.filter_map(|mark| Some((find(text, mark.as_bytes())?, mark.len()))).min();
        let Some((at, len)) = first else { return Some(text) };
        self.0 = text.get(at + len..);
        text.get(..at)
    }
}

fn find(text: &[u8], piece: &[u8]) -> Option<usize> {
    if piece.is_empty() { Some(0) } else { text.windows(piece.len()).position(|window| window == piece) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_taken_out_may_stand_there() {
        for (expected, actual, is_covered) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("[redacted]", "", true),
            ("[redacted]", "anything", true),
            ("Bearer [redacted].", "Bearer abc.", true),
            ("Bearer [redacted].", "Basic abc.", false),
            ("/a?k=%5Bredacted%5D&b=[redacted]", "/a?k=1&b=2", true),
            ("/a?k=%5Bredacted%5D&b=1", "/a?k=1&b=2", false),
            ("a[redacted]b[redacted]b", "a1b", false),
            ("a[redacted]b[redacted]b", "a1bbb", true),
            ("[redacted]", "[redacted]", true),
        ] {
            assert_eq!(covers(expected.as_bytes(), actual.as_bytes()), is_covered, "{expected} {actual}");
        }
    }
}
