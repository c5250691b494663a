//! The grammar of `Host` (RFC 9110, 7.2), and the one way to write each host.

use std::net::Ipv6Addr;

/// The longest name that DNS can hold.
const NAME_LEN_MAX: usize = 253;

/// A host as we write it: lower case, no trailing dot, no port that is the scheme's own. `None` when
/// the text is no host. Names outside ASCII have to come as A-labels.
pub(crate) fn normalise(text: &str, default_port: u16) -> Option<String> {
    let (host, port) = split_port(text)?;
    let mut normal = match host.strip_prefix('[') {
        Some(address) => format!("[{}]", address.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?),
        None => name(host)?,
    };
    if let Some(port) = port.filter(|port| *port != default_port) {
        normal.push_str(&format!(":{port}"));
    }
    Some(normal)
}

/// Apart the host and its port, if it gives one.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let end_of_host = text.find(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = text.get(end_of_host..)?.find(':').map(|colon| end_of_host + colon) else {
        return Some((text, None));
    };
    let (host, port) = (text.get(..colon)?, text.get(colon + 1..)?);
    let is_number = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    match port {
        _ if !is_number => None,
        "" => Some((host, None)),
        digits => Some((host, Some(digits.parse().ok()?))),
    }
}

fn name(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    (host.len() <= NAME_LEN_MAX && host.split('.').all(is_label)).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_host_has_one_form() {
        for (text, expected) in [
            ("A.Test", "a.test"),
            ("a.test.", "a.test"),
            ("a.test:80", "a.test"),
            ("a.test.:0080", "a.test"),
            ("a.test:", "a.test"),
            ("a.test:8080", "a.test:8080"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[0:0:0:0:0:0:0:1]:8080", "[::1]:8080"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("my_service", "my_service"),
        ] {
            assert_eq!(normalise(text, 80).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ".",
            "a..test",
            "a.test..",
            ".a",
            "a b",
            "a,b",
            "a/b",
            "a.test/abc?x=",
            "a#b",
            "a?b",
            "user@a.test",
            "a:b",
            "a:1:2",
            "a:65536",
            "a:+1",
            "a:-1",
            "a:000080",
            "[::1",
            "::1",
            "[::1]x",
            "[::1%25lo]",
            "[v1.a]",
            "[]",
            "a%41",
            "bücher.example",
            "a\u{0}",
            "a\\b",
            "*",
            "[::1]:x",
            "x[::1]",
            &"a".repeat(254),
        ] {
            assert_eq!(normalise(text, 80), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_host_stays_as_it_is(text in "[a-zA-Z0-9.:\\[\\]-]{1,20}") {
            if let Some(once) = normalise(&text, 80) {
                prop_assert_eq!(normalise(&once, 80), Some(once.clone()), "{}", text);
                prop_assert_eq!(once.to_ascii_lowercase(), once);
            }
        }
    }
}
