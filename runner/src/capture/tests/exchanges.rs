//! What a Func sends to others, and what they answer.

use wire::Body;
use wire::capture::{CaptureEntry, HostCall, HttpExchange, HttpOutcome};

use super::{FORM, JSON, entry, pairs, redacted, sending, text};

fn exchange(entry: &CaptureEntry) -> &HttpExchange {
    let HostCall::Http(exchange) = &entry.drawn.calls[0] else { panic!("no exchange") };
    exchange
}

#[test]
fn a_url_loses_what_is_secret_by_its_name() {
    let sent = |url: &str| {
        let entry = redacted(sending(entry("/api/login/a", JSON, Body::EMPTY), url, &[]));
        exchange(&entry).url.clone()
    };
    assert_eq!(sent("http://a.test/x?Token=1&b=2&key="), "http://a.test/x?Token=%5Bredacted%5D&b=2&key=");
    assert_eq!(sent("https://me:pass@a.test"), "https://%5Bredacted%5D@a.test");
    assert_eq!(sent("https://a.test/@x?b"), "https://a.test/@x?b");
}

#[test]
fn tokens_that_are_asked_for_are_taken_out_of_both_bodies_and_of_what_they_are_used_for() {
    let mut entry =
        sending(entry("/api/other", JSON, Body::EMPTY), "https://a.test/token", &[("content-type", FORM)]);
    let HostCall::Http(asked) = &mut entry.drawn.calls[0] else { panic!("no exchange") };
    asked.body = Body::from("grant_type=client_credentials&client_id=me&client_secret=s3cr3t%2Bs3cr3t");
    asked.outcome = HttpOutcome::Response {
        status: 200,
        headers: pairs(&[("content-type", JSON)]),
        body: Body::from(
            r#"{"access_token":"at-4711-0815","token_type":"bearer","user":{"idToken":{"raw":"id-2342-2342"}}}"#,
        ),
        cut: None,
    };
    let mut used = asked.clone();
    used.url = "https://a.test/at-4711-0815/me?t=id-2342-2342".into();
    (used.body, used.headers) =
        (Body::from("I am at-4711-0815"), pairs(&[("authorization", "Bearer at-4711-0815")]));
    used.outcome = HttpOutcome::Failed("x".into());
    entry.drawn.calls.push(HostCall::Http(used));
    entry.answer.body = Body::from(r#"{"proof":"at-4711-0815"}"#);

    let entry = redacted(entry);
    let asked = exchange(&entry);
    assert_eq!(text(&asked.body), "grant_type=client_credentials&client_id=me&client_secret=%5Bredacted%5D");
    let HttpOutcome::Response { body, .. } = &asked.outcome else { panic!("no response") };
    let expected =
        r#"{"access_token":"[redacted]","token_type":"bearer","user":{"idToken":{"raw":"[redacted]"}}}"#;
    assert_eq!(text(body), expected);
    let HostCall::Http(used) = &entry.drawn.calls[1] else { panic!("no exchange") };
    assert_eq!(used.url, "https://a.test/%5Bredacted%5D/me?t=%5Bredacted%5D");
    assert_eq!((text(&used.body), &*used.headers[0].1), ("I am [redacted]", "[redacted]"));
    assert_eq!(text(&entry.answer.body), r#"{"proof":"[redacted]"}"#);
    let places = [
        "drawn.calls.0.body/client_secret",
        "drawn.calls.0.outcome.body/access_token",
        "drawn.calls.0.outcome.body/user/idToken",
        "drawn.calls.1.headers.authorization",
        "answer.body",
        "drawn.calls.1",
    ];
    assert_eq!(entry.redacted, places);
}
