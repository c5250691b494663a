//! `HostPattern` says which hosts a document answers: one by name, or any.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Any host (`*`), or one exact host in lower case without a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HostPattern(Option<Box<str>>);

/// Text that is neither `*` nor a host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad host {0:?}: expected \"*\" or a host name")]
pub struct BadHost(pub String);

/// The longest name that DNS carries.
const HOST_BYTES_MAX: usize = 253;

impl HostPattern {
    /// The pattern that every host fits.
    pub const ANY: HostPattern = HostPattern(None);

    /// Reads `*` or a host; a port is dropped and letters are lowered.
    ///
    /// # Errors
    /// Text that no `Host` header could carry.
    pub fn parse(text: &str) -> Result<HostPattern, BadHost> {
        if text == "*" {
            return Ok(HostPattern::ANY);
        }
        let host = normalise(text);
        if is_host(&host) { Ok(HostPattern(Some(host.into()))) } else { Err(BadHost(text.to_owned())) }
    }

    /// The exact host, or `None` for any.
    pub fn exact(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Whether a `Host` header, which may carry a port, fits.
    pub fn accepts(&self, host: &str) -> bool {
        self.exact().is_none_or(|exact| exact == normalise(host))
    }
}

/// A host as it is compared: no port, no trailing dot, lower case.
pub(crate) fn normalise(host: &str) -> Cow<'_, str> {
    let name = without_port(host);
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !is_cut_ipv6(name) => name,
        _ => host,
    }
}

/// `[::1` is what is left of `[::1]` when its last group is taken for a port.
fn is_cut_ipv6(name: &str) -> bool {
    name.starts_with('[') && !name.ends_with(']')
}

fn is_host(host: &str) -> bool {
    if host.len() > HOST_BYTES_MAX {
        return false;
    }
    match host.strip_prefix('[') {
        Some(rest) => {
            rest.strip_suffix(']').is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
        }
        None => host.split('.').all(is_label),
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.exact().unwrap_or("*"))
    }
}

impl FromStr for HostPattern {
    type Err = BadHost;
    fn from_str(text: &str) -> Result<HostPattern, BadHost> {
        HostPattern::parse(text)
    }
}

impl TryFrom<String> for HostPattern {
    type Error = BadHost;
    fn try_from(text: String) -> Result<HostPattern, BadHost> {
        HostPattern::parse(&text)
    }
}

impl From<HostPattern> for String {
    fn from(host: HostPattern) -> String {
        host.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_case_and_final_dot_do_not_matter() {
        let host = HostPattern::parse("API.Example.com:8443").unwrap();
        assert_eq!(host.to_string(), "api.example.com");
        for text in ["api.example.com", "API.example.COM", "api.example.com.", "api.example.com:80"] {
            assert!(host.accepts(text), "{text}");
        }
        assert!(!host.accepts("example.com"));
    }

    #[test]
    fn ipv6_keeps_its_brackets_and_loses_its_port() {
        assert_eq!(HostPattern::parse("[::1]:80").unwrap().to_string(), "[::1]");
        assert_eq!(HostPattern::parse("[::1]").unwrap().to_string(), "[::1]");
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        for text in ["", "a b", "a/b", "*.example.com", "a..b", "[::1", "user@host", "{host}"] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }
}
