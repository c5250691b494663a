//! What is secret by its name, in every API and where no document says so.

use wire::capture::SECRET_HEADERS;

/// Members of bodies and queries, in small letters and without `_` and `-`.
const MEMBERS: [&str; 11] = [
    "accesstoken",
    "apikey",
    "clientassertion",
    "clientsecret",
    "idtoken",
    "passwd",
    "password",
    "privatekey",
    "refreshtoken",
    "secret",
    "token",
];
/// The same of queries that a Func sends. Whoever asks a Func for a `key` may as well mean that of a record.
const SENT_MEMBERS: [&str; 2] = ["key", "signature"];

pub(super) fn is_secret_header(name: &str) -> bool {
    SECRET_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name))
}

pub(super) fn is_secret_member(name: &str) -> bool {
    MEMBERS.iter().any(|own| is_same(own, name))
}

pub(super) fn is_secret_sent_member(name: &str) -> bool {
    is_secret_member(name) || SENT_MEMBERS.iter().any(|own| is_same(own, name))
}

fn is_same(own: &str, name: &str) -> bool {
    let letters = name.bytes().filter(|byte| !matches!(byte, b'_' | b'-'));
    own.bytes().eq(letters.map(|byte| byte.to_ascii_lowercase()))
}
