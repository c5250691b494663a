//! Percent-decoding that refuses what is malformed instead of guessing.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Decodes a path segment, header or cookie part; `None` for a bad escape or bad UTF-8.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    if !escapes_are_whole(text) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok()
}

/// Decodes one piece of a query or form, in which `+` is a space.
pub(crate) fn decode_form(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return decode(text);
    }
    let spaced = text.replace('+', " ");
    decode(&spaced).map(|decoded| Cow::Owned(decoded.into_owned()))
}

fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let mut digits = rest.bytes();
        let hex = |digit: Option<u8>| digit.is_some_and(|byte| byte.is_ascii_hexdigit());
        hex(digits.next()) && hex(digits.next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_escapes_are_refused() {
        for text in ["%", "%4", "%zz", "a%2", "%ff", "%C3%28"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn good_escapes_are_decoded() {
        assert_eq!(decode("a%2Fb%20c").as_deref(), Some("a/b c"));
        assert_eq!(decode("a+b").as_deref(), Some("a+b"));
        assert_eq!(decode_form("a+b%2B").as_deref(), Some("a b+"));
    }
}
