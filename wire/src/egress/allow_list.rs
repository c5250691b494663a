//! `AllowList`: where requests may go.

use std::net::IpAddr;

use http::Uri;

/// The hosts that requests may go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    host: String,
    /// Without one, the port that goes with the scheme.
    port: Option<u16>,
}

/// An entry that is not `host` or `host:port`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not host or host:port")]
pub struct BadEntry(String);

/// Where a request may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encrypted: bool,
    /// Whether any address will do: whoever allows an IP address or `localhost` means it.
    pub(super) any_address: bool,
}

impl AllowList {
    /// Reads `host` and `host:port` entries.
    ///
    /// # Errors
    /// When one is neither.
    pub fn parse(entries: &[String]) -> Result<Self, BadEntry> {
        entries
            .iter()
            .map(|text| Entry::parse(text).ok_or_else(|| BadEntry(text.clone())))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Where a request to `uri` would go, if it may go there.
    pub fn admit(&self, uri: &Uri) -> Option<Target> {
        let authority = uri.authority()?;
        // With credentials in it, what is left of the host is easily misread.
        if authority.as_str().contains('@') {
            return None;
        }
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return None,
        };
        let own_port = if encrypted { 443 } else { 80 };
        let host = normalise(authority.host());
        let port = authority.port_u16().unwrap_or(own_port);
        let admits = |entry: &Entry| entry.host == host && entry.port.unwrap_or(own_port) == port;
        let any_address = host == "localhost" || host.parse::<IpAddr>().is_ok();
        self.0.iter().any(admits).then_some(Target { host, port, encrypted, any_address })
    }
}

impl Target {
    /// Where a request to `uri` goes that an operator named: to any address.
    pub fn trusted(uri: &Uri) -> Option<Self> {
        let authority = uri.authority()?;
        let list = AllowList(vec![Entry { host: normalise(authority.host()), port: authority.port_u16() }]);
        list.admit(uri).map(|target| Self { any_address: true, ..target })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let authority: http::uri::Authority = text.parse().ok()?;
        let host = normalise(authority.host());
        let port = authority.port_u16().filter(|port| *port > 0);
        // What stands beside the host is a port that we can use, and nothing else.
        let whole = port.is_some() || authority.host() == text;
        (whole && !host.is_empty() && !text.contains('@')).then_some(Self { host, port })
    }
}

/// Lower case, no dot at the end, no brackets around an IPv6 address.
fn normalise(host: &str) -> String {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(entry: &str, uri: &str) -> bool {
        AllowList::parse(&[entry.to_owned()]).unwrap().admit(&uri.parse().unwrap()).is_some()
    }

    #[test]
    fn only_the_exact_host_and_port_are_allowed() {
        for (entry, uri) in [
            ("api.test", "https://API.test/x"),
            ("api.test", "http://api.test./x"),
            ("API.test:8080", "http://api.test:8080"),
            ("127.0.0.1:9", "http://127.0.0.1:9/"),
            ("[::1]:9", "http://[::1]:9/"),
        ] {
            assert!(admits(entry, uri), "{entry} {uri}");
        }
        for (entry, uri) in [
            ("api.test", "https://api.test:8443/"),
            ("api.test", "https://xapi.test/"),
            ("api.test", "https://api.test.evil.test/"),
            ("api.test", "https://api.test@evil.test/"),
            ("api.test", "https://evil.test@api.test/"),
            ("api.test:443", "http://api.test/"),
            ("127.0.0.1", "http://2130706433/"),
            ("localhost", "http://127.0.0.1/"),
            ("api.test", "ftp://api.test/"),
            ("api.test", "/x"),
        ] {
            assert!(!admits(entry, uri), "{entry} {uri}");
        }
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        for entry in ["", "a b", "http://a.test", "a.test/x", "a@b", "a.test:", "a.test:0", "a.test:99999"] {
            assert!(AllowList::parse(&[entry.to_owned()]).is_err(), "{entry}");
        }
    }
}
