//! What is secret is taken out, and said to be.

use wire::{Body, BodySha, StoredBody};

use super::{FORM, JSON, entry, pairs, redacted, text};

#[test]
fn what_is_secret_is_taken_out_and_noted() {
    let body = r#"{ "name":"ada", "password":"hunter22", "cards":[{"pin":1},{"pin":2,"n":3}] }"#;
    let mut entry = entry("/api/login/abcd?a=1&pin=1234&our_key=k&b=%20", JSON, Body::from(body));
    entry.invoke.headers.extend(pairs(&[
        ("cookie", "a=b"),
        ("cookie", "c=d"),
        ("x-our-key", "k"),
        ("x-pin", "1"),
    ]));
    entry.answer.headers.extend(pairs(&[("set-cookie", "a=b"), ("x-token", "t"), ("x-other", "o")]));
    let entry = redacted(entry);
    let expected = r#"{ "name":"ada", "password":"[redacted]", "cards":[{"pin":"[redacted]"},{"pin":"[redacted]","n":3}] }"#;
    assert_eq!(text(&entry.invoke.body), expected);
    assert_eq!(entry.invoke.query, "a=1&pin=%5Bredacted%5D&our_key=%5Bredacted%5D&b=%20");
    assert_eq!(entry.invoke.path, "/api/login/%5Bredacted%5D");
    assert_eq!(entry.activation.path, entry.invoke.path);
    assert_eq!(text(&entry.answer.body), r#"{"name": "ada"}"#);
    assert_eq!(entry.answer.headers[3].1, "o");
    let mut places: Vec<&str> = entry.redacted.iter().map(String::as_str).collect();
    places.sort_unstable();
    let expected = [
        "answer.headers.set-cookie",
        "answer.headers.x-token",
        "invoke.body/cards/0/pin",
        "invoke.body/cards/1/pin",
        "invoke.body/password",
        "invoke.headers.cookie",
        "invoke.headers.x-our-key",
        "invoke.headers.x-pin",
        "invoke.path",
        "invoke.query/our_key",
        "invoke.query/pin",
    ];
    assert_eq!(places, expected);
}

#[test]
fn a_body_that_cannot_be_taken_apart_is_dropped_whole() {
    let stored = StoredBody { object: BodySha::of(b"a"), sha256: BodySha::of(b"a"), len: 1 << 20 };
    for (content_type, body) in [
        (JSON, Body::from(r#"{"password":"hunter22"#)),
        ("image/png", Body::from("hunter22")),
        (JSON, Body::Stored(stored)),
    ] {
        let entry = redacted(entry("/api/login/a", content_type, body));
        assert_eq!(text(&entry.invoke.body), "[redacted]");
        assert!(entry.redacted.contains(&"invoke.body".to_owned()));
    }
}

#[test]
fn a_call_of_no_operation_keeps_its_body_and_loses_its_credentials() {
    let mut entry = entry("/api/other?our_key=k", JSON, Body::from(r#"{"password":"x"}"#));
    entry.invoke.headers.extend(pairs(&[("authorization", "Basic YTpi"), ("x-our-key", "k")]));
    let entry = redacted(entry);
    assert_eq!(text(&entry.invoke.body), r#"{"password":"x"}"#);
    let expected = ["invoke.headers.authorization", "invoke.headers.x-our-key", "invoke.query/our_key"];
    assert_eq!(entry.redacted, expected);
}

#[test]
fn what_people_log_in_with_is_taken_out_by_its_name() {
    let entry = entry(
        "/api/other?username=me&Pass-Word=hunter2&key=fluffy",
        FORM,
        Body::from("a=b&access_token=abc&c"),
    );
    let entry = redacted(entry);
    assert_eq!(entry.invoke.query, "username=me&Pass-Word=%5Bredacted%5D&key=fluffy");
    assert_eq!(text(&entry.invoke.body), "a=b&access_token=%5Bredacted%5D&c");
    assert_eq!(entry.redacted, ["invoke.query/Pass-Word", "invoke.body/access_token"]);
}

#[test]
fn json_that_is_sent_as_a_form_is_no_form() {
    let json = r#"{"password":"hunter22"}"#;
    assert_eq!(text(&redacted(entry("/api/login/abcd", FORM, Body::from(json))).invoke.body), "[redacted]");
    let known_by_name = redacted(entry("/api/other", FORM, Body::from(json))).invoke.body;
    assert_eq!(text(&known_by_name), r#"{"password":"[redacted]"}"#);
}

#[test]
fn a_call_without_secrets_is_as_it_was() {
    let before = entry("/api/other?page=2", JSON, Body::from(r#"{"a": 1.50}"#));
    assert_eq!(redacted(before.clone()), before);
}

#[test]
fn what_was_redacted_is_as_it_was_when_it_is_redacted_again() {
    let mut entry = entry("/api/login/abcd?pin=1234", JSON, Body::from(r#"{"password":"hunter22"}"#));
    entry.invoke.headers.extend(pairs(&[("authorization", "Basic YTpi"), ("cookie", "a=b")]));
    entry.activation.logs[0].text = "[redacted] is not hunter22".into();
    let once = redacted(entry);
    assert_eq!(redacted(once.clone()), once);
    assert!(once.redacted.contains(&"activation.logs.0".to_owned()));
}
