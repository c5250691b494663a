//! `BrokerUrl`: where a broker is, and as whom to speak to it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use lapin::uri::{AMQPScheme, AMQPUri};

/// How often we and the broker show each other that we live: after two of these in silence the other one is
/// taken for gone, and what a frozen runner holds goes to another within 10 s.
const HEARTBEAT_SECONDS: u16 = 5;

/// The address of a RabbitMQ, as `amqp://user:password@host:port/vhost`, or `amqps` for TLS.
#[derive(Clone)]
pub struct BrokerUrl {
    uri: AMQPUri,
}

/// Why a text is no address of a broker. It never repeats the text, which may hold a password.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadUrl {
    /// It cannot be read.
    #[error("not an address like amqp://user:password@host:5672/vhost")]
    Malformed,
    /// Everybody knows guest's password.
    #[error("guest with the password guest is for a broker on this machine only: give the broker a user")]
    Guest,
}

impl BrokerUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// When it cannot be read, and when it would let guest log in over a network.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let mut uri: AMQPUri = text.parse().map_err(|_reason: String| BadUrl::Malformed)?;
        if let Some(host) = bracketed(text)? {
            uri.authority.host = host.to_string();
        }
        if uri.authority.host.is_empty() {
            return Err(BadUrl::Malformed);
        }
        if uri.vhost.is_empty() {
            // No RabbitMQ has a virtual host without a name; this is somebody's final slash.
            uri.vhost = "/".to_owned();
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        let url = Self { uri };
        if url.is_guest() && !url.is_loopback() { Err(BadUrl::Guest) } else { Ok(url) }
    }

    pub(super) fn uri(&self) -> AMQPUri {
        self.uri.clone()
    }

    fn is_guest(&self) -> bool {
        let who = &self.uri.authority.userinfo;
        who.username == "guest" && who.password == "guest"
    }

    fn is_loopback(&self) -> bool {
        let host = &self.uri.authority.host;
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// The IPv6 address in an URL, which the client's own parser passes over.
fn bracketed(text: &str) -> Result<Option<Ipv6Addr>, BadUrl> {
    let authority = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let Some(inside) = host.strip_prefix('[') else { return Ok(None) };
    let address = inside.split_once(']').and_then(|(address, _)| address.parse().ok());
    address.map(Some).ok_or(BadUrl::Malformed)
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.uri.scheme == AMQPScheme::AMQPS { "amqps" } else { "amqp" };
        let authority = &self.uri.authority;
        let host = &authority.host;
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        let vhost = self.uri.vhost.trim_start_matches('/');
        write!(f, "{scheme}://{}@{open}{host}{close}:{}/{vhost}", authority.userinfo.username, authority.port)
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guest_may_log_in_on_this_machine_only() {
        for here in ["amqp://127.0.0.1", "amqp://guest:guest@localhost:5672", "amqp://[::1]/vhost"] {
            assert!(BrokerUrl::parse(here).is_ok(), "{here}");
        }
        for elsewhere in ["amqp://rabbit", "amqps://guest:guest@rabbit:5671", "amqp://[fd00::1]"] {
            assert_eq!(BrokerUrl::parse(elsewhere).unwrap_err(), BadUrl::Guest, "{elsewhere}");
        }
        assert!(BrokerUrl::parse("amqp://guest:better@rabbit").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "rabbit", "rabbit:5672", "http://rabbit", "amqp://u:p@[::1", "amqp://u:p@h:port"] {
            assert_eq!(BrokerUrl::parse(text).unwrap_err(), BadUrl::Malformed, "{text}");
        }
    }

    #[test]
    fn the_password_is_never_shown() {
        let url = BrokerUrl::parse("amqps://tron:s%40cret@rabbit/prod").unwrap();
        assert_eq!(url.uri().authority.userinfo.password, "s@cret");
        assert_eq!(format!("{url}"), "amqps://tron@rabbit:5671/prod");
        assert_eq!(format!("{url:?}"), "amqps://tron@rabbit:5671/prod");
    }

    #[test]
    fn heartbeats_are_on_unless_the_address_says_otherwise() {
        let heartbeat = |text| BrokerUrl::parse(text).unwrap().uri().query.heartbeat;
        assert_eq!(heartbeat("amqp://u:p@h"), Some(HEARTBEAT_SECONDS));
        assert_eq!(heartbeat("amqp://u:p@h?heartbeat=30"), Some(30));
    }
}
