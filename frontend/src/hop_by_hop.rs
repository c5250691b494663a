//! Headers that belong to one connection and end with it (RFC 9110, 7.6.1).

use http::HeaderMap;
use http::header::CONNECTION;

const NAMES: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether headers of this name (in lower case) end with any connection.
pub(crate) fn is_hop_by_hop(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The further names that the message's own `connection` headers give.
pub(crate) fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    headers.get_all(CONNECTION).iter().flat_map(|value| names(value.as_bytes())).collect()
}

/// The names in the value of a `connection` header, in lower case.
pub(crate) fn names(value: &[u8]) -> impl Iterator<Item = String> {
    value.split(|byte| *byte == b',').filter_map(|name| {
        let name = std::str::from_utf8(name.trim_ascii()).ok()?;
        let is_usual = name.eq_ignore_ascii_case("close") || name.eq_ignore_ascii_case("keep-alive");
        (!name.is_empty() && !is_usual).then(|| name.to_ascii_lowercase())
    })
}
