//! Credentials are looked for in their parts.

use wire::Body;

use super::{JSON, entry, pairs, redacted};

/// What is left of a log line in a call with this header.
fn left_of(line: &str, name: &str, value: &str) -> String {
    let mut entry = entry("/api/other", JSON, Body::EMPTY);
    if name == "set-cookie" { &mut entry.answer.headers } else { &mut entry.invoke.headers }
        .extend(pairs(&[(name, value)]));
    entry.activation.logs[0].text = line.into();
    redacted(entry).activation.logs.remove(0).text
}

#[test]
fn the_parts_of_credentials_are_secret_by_themselves() {
    for (name, value, secret) in [
        ("authorization", "Bearer hunter2hunter", "hunter2hunter"),
        ("authorization", "Bearer abc/def=", "Bearer%20abc%2Fdef%3D"),
        ("authorization", "Basic c29tZWJvZHk6aHVudGVyMg==", "hunter2"),
        ("authorization", "Basic c29tZWJvZHk6aHVudGVyMg==", "somebody"),
        ("Proxy-Authorization", "hunter22", "hunter22"),
        ("authorization", "Digest username=\"me\", response=\"0123456789abcdef\"", "0123456789abcdef"),
        ("x-api-key", "hunter22", "hunter22"),
        ("cookie", "a=b; sid=\"hunter22\"; c=d", "hunter22"),
        ("cookie", "sid=hunter%2F22", "hunter/22"),
        ("set-cookie", "sid=hunter22; Path=/hunting/ground", "hunter22"),
        ("x-our-key", "pin1", "pin1"),
    ] {
        assert_eq!(left_of(&format!("<{secret}>"), name, value), "<[redacted]>", "{name}: {value}");
    }
}

#[test]
fn what_is_no_secret_by_itself_stays() {
    for (name, value, line) in [
        ("cookie", "theme=dark; lang=en-US", "a dark theme in en-US"),
        (
            "set-cookie",
            "sid=hunter22; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Path=/pets/all",
            "/pets/all 07:28:00",
        ),
        ("authorization", "Digest uri=\"/pets/all\", response=\"0123456789abcdef\"", "GET /pets/all"),
        ("authorization", "Basic YTpi", "a:b"),
    ] {
        assert_eq!(left_of(line, name, value), line, "{name}: {value}");
    }
}
