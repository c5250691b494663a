//! The gate: what is not clean HTTP goes no further. Framing and sizes were checked by the server.

use http::header::HOST;
use http::{HeaderMap, Method, Uri};
use wire::ProblemKind;

use crate::forwarded::{Client, is_forwarded};
use crate::hop_by_hop::{is_hop_by_hop, named_by_connection};
use crate::{host, target};

/// The methods that a document can describe, and the value of `allow` that tells of them.
pub(crate) const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The parts of a request that go into a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clean {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// Why a request is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    #[error("this method is not allowed")]
    MethodNotAllowed,
    #[error("this method is not known")]
    MethodUnknown,
    #[error("a request needs exactly one host header")]
    HostCount,
    #[error("the host header does not name a host")]
    Host,
    #[error("the target names another host than the host header")]
    HostDiffers,
    #[error("the target names a scheme that is not spoken here")]
    Scheme,
    #[error(transparent)]
    Target(#[from] target::Unclean),
    #[error("the value of header {0} is not text")]
    HeaderValue(String),
}

impl Refusal {
    /// How a client is told.
    pub(crate) fn kind(&self) -> ProblemKind {
        match self {
            Self::MethodNotAllowed => ProblemKind::MethodNotAllowed,
            Self::MethodUnknown => ProblemKind::NotImplemented,
            _ => ProblemKind::InvalidRequest,
        }
    }
}

/// Lets a request through, or says why not.
pub(crate) fn check(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    client: Client,
    trusts_forwarded: bool,
) -> Result<Clean, Refusal> {
    check_method(method)?;
    let host = check_host(uri, headers, client)?;
    target::check_path(uri.path())?;
    let query = uri.query().unwrap_or_default();
    target::check_query(query)?;
    let headers = clean_headers(headers, trusts_forwarded)?;
    Ok(Clean { host, path: uri.path().to_owned(), query: query.to_owned(), headers })
}

fn check_method(method: &Method) -> Result<(), Refusal> {
    match method.as_str() {
        // No document that we read can describe QUERY yet, so it gets as far as a 405.
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "QUERY" => Ok(()),
        "CONNECT" | "TRACE" => Err(Refusal::MethodNotAllowed),
        _ => Err(Refusal::MethodUnknown),
    }
}

fn check_host(uri: &Uri, headers: &HeaderMap, client: Client) -> Result<String, Refusal> {
    let normalise = |text: &str| host::normalise(text, client.default_port()).ok_or(Refusal::Host);
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(only), None) = (hosts.next(), hosts.next()) else { return Err(Refusal::HostCount) };
    let host = normalise(std::str::from_utf8(only.as_bytes()).unwrap_or_default())?;
    if uri.scheme_str().is_some_and(|scheme| scheme != client.scheme()) {
        return Err(Refusal::Scheme);
    }
    match uri.authority() {
        Some(authority) if normalise(authority.as_str())? != host => Err(Refusal::HostDiffers),
        // Without a scheme it is the form that only CONNECT has.
        Some(_) if uri.scheme().is_none() => Err(target::Unclean::Relative.into()),
        _ => Ok(host),
    }
}

fn clean_headers(headers: &HeaderMap, trusts_forwarded: bool) -> Result<Vec<(String, String)>, Refusal> {
    let named = named_by_connection(headers);
    let mut clean = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let name = name.as_str();
        if is_dropped(name, trusts_forwarded) || named.iter().any(|dropped| dropped == name) {
            continue;
        }
        match std::str::from_utf8(value.as_bytes()) {
            Ok(value) => clean.push((name.to_owned(), value.to_owned())),
            Err(_not_text) => return Err(Refusal::HeaderValue(name.to_owned())),
        }
    }
    Ok(clean)
}

/// Whether a header ends here: it has done its work, or only the platform may set it.
fn is_dropped(name: &str, trusts_forwarded: bool) -> bool {
    matches!(name, "host" | "expect" | "x-request-id")
        || is_hop_by_hop(name)
        || name.starts_with("x-funcatron-")
        || (is_forwarded(name) && !trusts_forwarded)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn check_all(method: &str, uri: &str, lines: &[(&str, &[u8])]) -> Result<Clean, Refusal> {
        let headers = lines
            .iter()
            .map(|(name, value)| {
                (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value).unwrap())
            })
            .collect::<Vec<_>>();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        let client = Client { address: "127.0.0.1".parse().unwrap(), is_https: false };
        check(&method.parse().unwrap(), &uri.parse().unwrap(), &map, client, false)
    }

    fn refusal(method: &str, uri: &str, hosts: &[&str]) -> Refusal {
        let lines: Vec<_> = hosts.iter().map(|host| ("host", host.as_bytes())).collect();
        check_all(method, uri, &lines).unwrap_err()
    }

    #[test]
    fn methods_that_no_document_describes_are_refused() {
        assert_eq!(refusal("TRACE", "/", &["a"]), Refusal::MethodNotAllowed);
        assert_eq!(refusal("CONNECT", "a:80", &["a"]), Refusal::MethodNotAllowed);
        assert_eq!(refusal("PRI", "*", &["a"]), Refusal::MethodUnknown);
        assert_eq!(refusal("get", "/", &["a"]), Refusal::MethodUnknown);
    }

    #[test]
    fn there_is_one_host_and_the_target_agrees() {
        assert_eq!(refusal("GET", "/", &[]), Refusal::HostCount);
        assert_eq!(refusal("GET", "/", &["a", "a"]), Refusal::HostCount);
        assert_eq!(refusal("GET", "/", &["a, b"]), Refusal::Host);
        assert_eq!(refusal("GET", "http://b.test/", &["a.test"]), Refusal::HostDiffers);
        assert_eq!(refusal("GET", "http://u@a.test/", &["a.test"]), Refusal::Host);
        assert_eq!(refusal("GET", "https://a.test/", &["a.test"]), Refusal::Scheme);
        assert_eq!(refusal("GET", "a.test:80", &["a.test"]), target::Unclean::Relative.into());
        assert_eq!(refusal("OPTIONS", "*", &["a.test"]), target::Unclean::Relative.into());
        let clean = check_all("GET", "http://A.test:80/x?y", &[("host", b"a.TEST.")]).unwrap();
        assert_eq!((&*clean.host, &*clean.path, &*clean.query), ("a.test", "/x", "y"));
    }

    #[test]
    fn headers_of_the_connection_and_of_the_platform_end_here() {
        let clean = check_all(
            "GET",
            "/",
            &[
                ("host", b"a"),
                ("connection", b"close, X-Mine"),
                ("x-mine", b"1"),
                ("te", b"trailers"),
                ("upgrade", b"websocket"),
                ("x-funcatron-operation", b"steal"),
                ("x-forwarded-for", b"6.6.6.6"),
                ("forwarded", b"for=6.6.6.6"),
                ("x-request-id", b"r"),
                ("accept", b"a"),
                ("accept", b"b"),
            ],
        );
        let kept = [("accept", "a"), ("accept", "b")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(clean.unwrap().headers, kept);
    }

    #[test]
    fn a_header_that_is_not_text_is_refused() {
        let refused = check_all("GET", "/", &[("host", b"a"), ("x-name", b"\xff")]);
        assert_eq!(refused, Err(Refusal::HeaderValue("x-name".into())));
    }

    proptest! {
        #[test]
        fn what_passes_is_clean(uri in "(http://[ab@:]{1,4})?/[a%2e./\\\\?]{0,10}", host in "[aAbB.:0@/]{0,6}") {
            let Ok(uri) = uri.parse::<Uri>() else { return Ok(()) };
            if let Ok(clean) = check_all("GET", &uri.to_string(), &[("host", host.as_bytes())]) {
                prop_assert!(clean.path.starts_with('/') && !clean.path.contains("//"));
                prop_assert_eq!(host::normalise(&clean.host, 80), Some(clean.host.clone()));
                prop_assert!(uri.authority().is_none_or(|at| !at.as_str().contains('@')));
            }
        }
    }
}
