//! No secret leaves a runner in a capture, and all else is as it was.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::capture::{CaptureEntry, HostCall, HttpOutcome};
use wire::{Body, encode_line};

use super::{FORM, JSON, entry, pairs, redacted, sending};

/// Where a secret may stand.
const PLACES: usize = 20;

/// As most libraries encode it.
fn in_url(text: &str) -> String {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, ENCODED).to_string()
}

/// A call with a secret in one place, and in no other.
fn hiding(secret: &str, place: usize) -> CaptureEntry {
    let at = |own: usize| if own == place { secret } else { "no" };
    let in_url = |own: usize| in_url(at(own));
    let path =
        format!("/api/login/{}?a=1&pin={}&our_key={}&token={}", in_url(0), in_url(1), in_url(2), in_url(3));
    let (content_type, body) = match place {
        4 | 5 => (FORM, format!("name=ada&password={}&passwd={}", in_url(4), in_url(5))),
        _ => {
            let password = json!({"deep": [{"in": at(6)}, "no"]});
            (JSON, json!({"name": "ada", "password": password, "cards": [{"pin": at(7)}]}).to_string())
        }
    };
    let mut entry = entry(&path, content_type, Body::from(body));
    let bearer = format!("Bearer {}", at(8));
    let cookies = format!("theme=dark; session={}", at(9));
    let cookie = format!("session={}; Path=/; HttpOnly", at(10));
    entry.invoke.headers.extend(pairs(&[
        ("Authorization", &bearer),
        ("Cookie", &cookies),
        ("x-api-key", at(11)),
        ("X-Our-Key", at(12)),
        ("x-pin", at(13)),
    ]));
    entry.answer.headers.extend(pairs(&[("set-cookie", &cookie), ("x-token", at(14))]));
    let url = format!("https://me:{}@a.test/?signature={}&x=1", in_url(15), in_url(16));
    entry = sending(entry, &url, &[("proxy-authorization", at(17)), ("content-type", FORM)]);
    let HostCall::Http(exchange) = &mut entry.drawn.calls[0] else { panic!("no exchange") };
    exchange.body = Body::from(format!("client_secret={}", in_url(18)));
    exchange.outcome = HttpOutcome::Response {
        status: 200,
        headers: Vec::new(),
        body: Body::from(json!([{"id_token": at(19)}]).to_string()),
        cut: None,
    };
    entry
}

/// Has it repeated wherever somebody may.
fn echo(entry: &mut CaptureEntry, secret: &str, echoes: &[bool]) {
    let in_url = in_url(secret);
    let echo = |number: usize| if echoes[number] { secret } else { "-" };
    entry.answer.body = Body::from(json!([format!("you said {}", echo(0)), "ada"]).to_string());
    entry.answer.headers.push(("x-echo".into(), echo(1).into()));
    entry.activation.error = Some(format!("failed on {}", echo(2)));
    entry.activation.logs[0].text = format!("got {0} and {in_url} and {0}", echo(3));
    entry.invoke.headers.push(("x-again".into(), echo(4).into()));
    let HostCall::Http(mut exchange) = entry.drawn.calls[0].clone() else { panic!("no exchange") };
    exchange.url = format!("https://b.test/{in_url}");
    exchange.body = Body::from(format!("\u{0}{}", echo(5)).into_bytes());
    entry.drawn.calls.push(HostCall::Http(exchange));
}

proptest! {
    #[test]
    fn a_canary_is_nowhere_whoever_repeats_it(
        canary in "[a-zA-Z0-9][a-zA-Z0-9/+=\"é-]{6,30}[a-zA-Z0-9]",
        place in 0..PLACES,
        echoes in proptest::collection::vec(any::<bool>(), 6),
    ) {
        let mut entry = hiding(&canary, place);
        echo(&mut entry, &canary, &echoes);
        let line = encode_line(&redacted(entry)).unwrap();
        let line = std::str::from_utf8(&line).unwrap();
        let in_json = Value::from(canary.as_str()).to_string();
        let in_url = in_url(&canary);
        for form in [canary.as_str(), in_json.trim_matches('"'), in_url.as_str()] {
            prop_assert!(!line.contains(form), "{form} of place {place} is in {line}");
        }
        prop_assert!(line.contains("ada") && line.contains("\"a=1&pin="));
    }

    #[test]
    fn what_has_no_secret_stays_to_the_byte(body in proptest::collection::vec(any::<u8>(), 0..200), name in "[a-z]{1,8}") {
        let json = json!({"name": String::from_utf8_lossy(&body), "other": [name, 1.50]}).to_string();
        for body in [Body::from(json), Body::EMPTY] {
            let before = entry("/api/login/abc?a=%20&pin", JSON, body);
            let mut expected = before.clone();
            expected.invoke.path = "/api/login/%5Bredacted%5D".into();
            expected.activation.path.clone_from(&expected.invoke.path);
            expected.redacted = vec!["invoke.path".into()];
            prop_assert_eq!(redacted(before), expected);
        }
        let mut before = entry("/api/login/abc", JSON, Body::EMPTY);
        (before.answer.status, before.answer.body) = (500, Body::from(body));
        prop_assert_eq!(redacted(before.clone()).answer, before.answer);
    }
}
