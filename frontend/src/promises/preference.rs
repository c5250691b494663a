//! Reads `Prefer` (RFC 7240) for the one preference that matters here.

/// Whether these headers ask for a response before the call is done. Other preferences, `wait` among them,
/// are the Func's to read.
pub(super) fn responds_async(headers: &[(String, String)]) -> bool {
    let values = headers.iter().filter(|(name, _)| name == "prefer").map(|(_, value)| value.as_str());
    values.flat_map(|value| split(value, ',')).any(is_respond_async)
}

/// It has no value, and an empty one is none. What follows are parameters, of which it has none either.
fn is_respond_async(preference: &str) -> bool {
    let named = split(preference, ';').next().unwrap_or_default();
    let (name, value) = named.split_once('=').unwrap_or((named, ""));
    name.trim().eq_ignore_ascii_case("respond-async") && matches!(value.trim(), "" | "\"\"")
}

/// The parts between separators that stand outside quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |letter| {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return letter == separator && !quoted,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(values: &[&str]) -> bool {
        let headers: Vec<_> = values.iter().map(|value| ("prefer".to_owned(), (*value).to_owned())).collect();
        responds_async(&headers)
    }

    #[test]
    fn the_preference_is_found_wherever_it_may_stand() {
        for values in [
            &["respond-async"][..],
            &["Respond-Async, wait=10"],
            &["wait=10 ,respond-async"],
            &["return=minimal", "respond-async"],
            &["respond-async; x=\"a,b\""],
            &["respond-async = \"\""],
            &["foo=\"a\\\", b\", respond-async"],
            &[",, respond-async"],
        ] {
            assert!(asks(values), "{values:?}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not_it() {
        for values in [
            &[][..],
            &[""],
            &["respond-asynchronously"],
            &["wait=respond-async"],
            &["foo=\"respond-async, respond-async\""],
            &["foo=\"\\\", respond-async\""],
            &["foo; respond-async"],
            &["respond-async=no"],
        ] {
            assert!(!asks(values), "{values:?}");
        }
        assert!(!responds_async(&[("accept".into(), "respond-async".into())]));
    }
}
