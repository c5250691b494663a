//! What was taken out is taken out wherever else it stands.

use std::time::{Duration, Instant};

use serde_json::json;
use wire::Body;

use super::{JSON, document, entry, redacted, text};

#[test]
fn a_short_secret_is_found_where_it_is_a_word() {
    let mut entry = entry("/api/login/abc?pin=1234", JSON, Body::EMPTY);
    entry.answer.body = Body::from(r#"{"pin": 1234, "pins":["1234", 12345, "a 1234."], "id": "x1234"}"#);
    entry.activation.logs[0].text = "1234, 01234 and 1234".into();
    let entry = redacted(entry);
    let expected = r#"{"pin": "[redacted]", "pins":["[redacted]", 12345, "a [redacted]."], "id": "x1234"}"#;
    assert_eq!(text(&entry.answer.body), expected);
    assert_eq!(entry.activation.logs[0].text, "[redacted], 01234 and [redacted]");
}

#[test]
fn a_shorter_one_stands_in_too_many_places() {
    let mut entry = entry("/api/login/abc?pin=123", JSON, Body::EMPTY);
    entry.activation.logs[0].text = "abc 123".into();
    assert_eq!(redacted(entry).activation.logs[0].text, "abc 123");
}

#[test]
fn all_that_is_in_a_secret_object_is_secret() {
    let body = json!({"password": {"old": "hunter22", "new": ["sesame \"1\"", 47110815]}});
    let mut entry = entry("/api/login/abc", JSON, Body::from(body.to_string()));
    entry.answer.body = Body::from(json!({"you": "sent hunter22, sesame \"1\"", "n": 47110815}).to_string());
    entry.activation.logs[0].text = "hunter22 became sesame \"1\" of 47110815".into();
    let entry = redacted(entry);
    assert_eq!(text(&entry.answer.body), r#"{"you":"sent [redacted], [redacted]","n":"[redacted]"}"#);
    assert_eq!(entry.activation.logs[0].text, "[redacted] became [redacted] of [redacted]");
}

#[test]
fn a_parameter_that_shares_its_segment_and_a_decoded_one_are_found() {
    for path in ["/api/login/hunter%2F22", "/api/codes/of-hunter%2F22.json"] {
        let mut entry = entry(path, JSON, Body::EMPTY);
        entry.activation.logs[0].text = "hunter/22".into();
        let entry = redacted(entry);
        assert_eq!(entry.activation.logs[0].text, "[redacted]");
        // A replay finds the same operation.
        let shown =
            if path.ends_with("json") { "/codes/of-%5Bredacted%5D.json" } else { "/login/%5Bredacted%5D" };
        assert_eq!(entry.invoke.path, format!("/api{shown}"));
        assert!(document().operation("POST", shown).is_some());
    }
}

#[test]
fn a_word_that_is_a_secret_changes_nothing_that_the_document_says() {
    let body = Body::from(r#"{"login": "login", "name":1}"#);
    let mut entry = entry("/api/login/login?login=1", JSON, body);
    entry.invoke.headers.push(("x-pin".into(), "login".into()));
    entry.invoke.headers.push(("content-type".into(), "text/login".into()));
    let entry = redacted(entry);
    assert_eq!(entry.invoke.path, "/api/login/%5Bredacted%5D");
    assert_eq!(text(&entry.invoke.body), r#"{"login": "[redacted]", "name":1}"#);
    let kept = entry.invoke.headers.iter().any(|(_, value)| value == "text/login");
    assert!(kept, "{:?}", entry.invoke.headers);
}

#[test]
fn of_a_call_with_a_list_of_secrets_nothing_is_kept_that_may_hold_one() {
    let cards: Vec<_> = (0..300).map(|number| json!({"pin": format!("secret-{number}")})).collect();
    let mut entry = entry("/api/login/abc", JSON, Body::from(json!({"cards": cards}).to_string()));
    entry.activation.logs[0].text = "secret-299".into();
    entry.activation.error = Some("secret-298".into());
    entry.answer.headers.push(("x-echo".into(), "secret-297".into()));
    let entry = redacted(entry);
    assert_eq!((text(&entry.invoke.body), text(&entry.answer.body)), ("[redacted]", "[redacted]"));
    assert_eq!(
        (&*entry.activation.logs[0].text, entry.activation.error.as_deref()),
        ("[redacted]", Some("[redacted]"))
    );
    assert_eq!((&*entry.answer.headers[0].1, &*entry.answer.headers[1].1), (JSON, "[redacted]"));
    assert_eq!(entry.invoke.path, "/api/login/%5Bredacted%5D");
}

#[test]
fn a_body_full_of_secrets_takes_no_longer_than_any_other() {
    let began = Instant::now();
    let cards = |len: usize| json!({"cards": vec![json!({"pin": "12345678"}); len]}).to_string();
    let deep = "{\"cards\":[{\"pin\":".repeat(1 << 13);
    let many: Vec<_> = (0..250).map(|number| json!({"pin": format!("aaaaaaaaaaaa{number}")})).collect();
    // Each place could be the beginning of either.
    let alike = json!({"cards": [{"pin": "aaaa"}, {"pin": "a".repeat(32 << 10) + "b"}, {"pin": "aaaaaaaa"}]});
    for body in [cards(16 << 10), deep, json!({"cards": many}).to_string(), alike.to_string()] {
        let mut entry = entry("/api/login/abc", JSON, Body::from(body));
        entry.answer.body = Body::from("a".repeat(1 << 20));
        redacted(entry);
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
