//! What a trusted proxy in front of us says about its own client.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

/// How the client reached the first of our machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    pub(crate) is_https: bool,
}

impl Client {
    /// The client of a connection, or of the proxy at its other end. Only what the last proxy
    /// added is believed: everything to the left of that came with the request.
    pub(crate) fn of(peer: SocketAddr, headers: &HeaderMap, trusts_forwarded: bool) -> Self {
        if !trusts_forwarded {
            return Self { address: peer.ip(), is_https: false };
        }
        let address = last(headers, "x-forwarded-for").and_then(|text| text.parse().ok());
        Self {
            address: address.unwrap_or(peer.ip()),
            is_https: last(headers, "x-forwarded-proto") == Some("https"),
        }
    }

    pub(crate) fn scheme(self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    pub(crate) fn default_port(self) -> u16 {
        if self.is_https { 443 } else { 80 }
    }
}

/// Whether a header (name in lower case) speaks of an earlier connection.
pub(crate) fn is_forwarded(name: &str) -> bool {
    name == "forwarded" || name == "x-real-ip" || name.starts_with("x-forwarded-")
}

fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusts_forwarded: bool) -> Client {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "6.6.6.6, 10.0.0.1".parse().unwrap());
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        Client::of("127.0.0.1:1".parse().unwrap(), &headers, trusts_forwarded)
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client(false), Client { address: "127.0.0.1".parse().unwrap(), is_https: false });
    }

    #[test]
    fn of_a_proxy_only_its_own_addition_is_believed() {
        assert_eq!(client(true), Client { address: "10.0.0.1".parse().unwrap(), is_https: true });
    }
}
