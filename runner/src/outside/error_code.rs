//! The names of errors of outgoing requests: those that `wasi:http` gives them.

use std::io::ErrorKind;
use std::mem::discriminant;

use wasmtime_wasi_http::Error;

/// What is noted of a request whose response the Func did not wait for, or not to its end.
pub(super) const UNFINISHED: &str = "HTTP-response-incomplete";
/// What whoever reads on is told where the Func did not when it was recorded.
pub(crate) const UNREAD: &str = "internal-error: the rest of the body was not recorded";
const DNS_ERROR: &str = "DNS-error";
const INTERNAL_ERROR: &str = "internal-error";
/// What wasmtime says of a name that stands for no address.
const NO_ADDRESS: &str = "address not available";

/// The name of an error, and what makes it.
type Named = (&'static str, fn() -> Error);

/// Errors by their names; what else they could say of sizes and fields is left out.
const NAMED: &[Named] = &[
    ("DNS-timeout", || Error::DnsTimeout),
    ("destination-not-found", || Error::DestinationNotFound),
    ("destination-unavailable", || Error::DestinationUnavailable),
    ("destination-IP-prohibited", || Error::DestinationIpProhibited),
    ("destination-IP-unroutable", || Error::DestinationIpUnroutable),
    ("connection-refused", || Error::ConnectionRefused),
    ("connection-terminated", || Error::ConnectionTerminated),
    ("connection-timeout", || Error::ConnectionTimeout),
    ("connection-read-timeout", || Error::ConnectionReadTimeout),
    ("connection-write-timeout", || Error::ConnectionWriteTimeout),
    ("connection-limit-reached", || Error::ConnectionLimitReached),
    ("TLS-protocol-error", || Error::TlsProtocolError),
    ("TLS-certificate-error", || Error::TlsCertificateError),
    ("TLS-alert-received", || Error::TlsAlertReceived { alert_id: None, alert_message: None }),
    ("HTTP-request-denied", || Error::HttpRequestDenied),
    ("HTTP-request-length-required", || Error::HttpRequestLengthRequired),
    ("HTTP-request-body-size", || Error::HttpRequestBodySize(None)),
    ("HTTP-request-method-invalid", || Error::HttpRequestMethodInvalid),
    ("HTTP-request-URI-invalid", || Error::HttpRequestUriInvalid),
    ("HTTP-request-URI-too-long", || Error::HttpRequestUriTooLong),
    ("HTTP-request-header-section-size", || Error::HttpRequestHeaderSectionSize(None)),
    ("HTTP-request-trailer-section-size", || Error::HttpRequestTrailerSectionSize(None)),
    (UNFINISHED, || Error::HttpResponseIncomplete),
    ("HTTP-response-header-section-size", || Error::HttpResponseHeaderSectionSize(None)),
    ("HTTP-response-body-size", || Error::HttpResponseBodySize(None)),
    ("HTTP-response-trailer-section-size", || Error::HttpResponseTrailerSectionSize(None)),
    ("HTTP-response-transfer-coding", || Error::HttpResponseTransferCoding(None)),
    ("HTTP-response-content-coding", || Error::HttpResponseContentCoding(None)),
    ("HTTP-response-timeout", || Error::HttpResponseTimeout),
    ("HTTP-upgrade-failed", || Error::HttpUpgradeFailed),
    ("HTTP-protocol-error", || Error::HttpProtocolError),
    ("loop-detected", || Error::LoopDetected),
    ("configuration-error", || Error::ConfigurationError),
];

/// The name of an error, as a guest is told it.
pub(super) fn name(error: &Error) -> String {
    match error {
        Error::Hyper(_) => "HTTP-protocol-error".to_owned(),
        Error::Tls(_) => "TLS-protocol-error".to_owned(),
        Error::Connect(error) if error.kind() == ErrorKind::AddrNotAvailable => {
            format!("{DNS_ERROR}: {NO_ADDRESS}")
        }
        Error::Connect(_) => "connection-refused".to_owned(),
        Error::DnsError { rcode, .. } => with_detail(DNS_ERROR, rcode.as_deref()),
        Error::InternalError(why) => with_detail(INTERNAL_ERROR, why.as_deref()),
        other => {
            let is_it = |named: &&Named| discriminant(&named.1()) == discriminant(other);
            let named = NAMED.iter().find(is_it).map(|(name, _)| (*name).to_owned());
            named.unwrap_or_else(|| with_detail(INTERNAL_ERROR, Some(&other.to_string())))
        }
    }
}

/// The error of this name.
pub(super) fn error(name: &str) -> Error {
    if let Some((_, error)) = NAMED.iter().find(|(known, _)| *known == name) {
        return error();
    }
    match name.split_once(": ") {
        Some((DNS_ERROR, rcode)) => Error::DnsError { rcode: Some(rcode.to_owned()), info_code: None },
        None if name == DNS_ERROR => Error::DnsError { rcode: None, info_code: None },
        Some((INTERNAL_ERROR, why)) => Error::InternalError(Some(why.to_owned())),
        None if name == INTERNAL_ERROR => Error::InternalError(None),
        _ => Error::InternalError(Some(name.to_owned())),
    }
}

/// The error that a body ends with which was cut off by this one.
pub(super) fn of_cut(name: &str) -> Error {
    error(if name == UNFINISHED { UNREAD } else { name })
}

fn with_detail(name: &str, detail: Option<&str>) -> String {
    match detail {
        Some(detail) => format!("{name}: {detail}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_comes_back_by_its_name() {
        let names = NAMED.iter().map(|(name, _)| *name);
        let others = [DNS_ERROR, "DNS-error: address not available", INTERNAL_ERROR, "internal-error: why"];
        for known in names.chain(others) {
            assert_eq!(name(&error(known)), known);
        }
        assert_eq!(name(&error("made up")), "internal-error: made up");
    }
}
