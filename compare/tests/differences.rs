//! Differences between answers, as the document sees them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use compare::{Comparison, Noise, summary};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use swagger::Document;
use wire::capture::REDACTED;
use wire::{ActivationId, Answer, Body, BodySha, RequestId, StoredBody, Version};

/// A document whose one operation answers with this schema.
fn document(schema: &Value) -> Document {
    let json = json!({
        "openapi": "3.0.3", "info": {"title": "T", "version": "1"},
        "components": {"schemas": {"Pet": {"type": "object", "properties": {
            "id": {"type": "string", "format": "uuid"}, "name": {"type": "string"},
            "at": {"type": "string", "format": "date-time"}, "rank": {"type": "integer", "readOnly": true},
            "etag": {"x-funcatron-volatile": true}, "child": {"$ref": "#/components/schemas/Pet"}}}}},
        "paths": {"/pets": {"get": {"operationId": "listPets", "responses": {
            "200": {"description": "", "headers": {
                "X-Count": {"schema": {"type": "integer"}},
                "X-At": {"schema": {"type": "string", "format": "date-time"}},
                "ETag": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": schema}, "text/plain": {"schema": {"type": "string", "format": "date-time"}}}},
            "404": {"description": ""}}}}}
    });
    Document::parse(json.to_string().as_bytes()).unwrap()
}

fn pets() -> Document {
    document(&json!({"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}))
}

fn answer(status: u16, content_type: &str, body: impl Into<Body>) -> Answer {
    Answer {
        v: Version,
        id: RequestId::generate(),
        activation: ActivationId::generate(),
        attempt: 1,
        bundle: None,
        status,
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: body.into(),
        part: 0,
        more: false,
    }
}

fn json_answer(body: &Value) -> Answer {
    answer(200, "application/json", body.to_string())
}

/// The answer with a header more.
fn with(mut answer: Answer, name: &str, value: &str) -> Answer {
    answer.headers.push((name.to_owned(), value.to_owned()));
    answer
}

fn told(document: &Document, expected: &Answer, actual: &Answer) -> String {
    summary(&Comparison::of_request(document, "GET", "/pets").differences(expected, actual))
}

fn bodies(expected: &Value, actual: &Value) -> String {
    told(&pets(), &json_answer(expected), &json_answer(actual))
}

#[test]
fn what_differs_is_told_by_its_place() {
    let was = json!([{"name": "Rex", "tags": ["a", "b"], "old": 1}]);
    let is = json!([{"name": "Max", "tags": ["a"], "new": null}, {}]);
    assert_eq!(bodies(&was, &was), "");
    assert_eq!(
        bodies(&was, &is),
        "body/0/name: \"Rex\" became \"Max\"; body/0/tags/1: \"b\" is gone; body/0/old: 1 is gone; and 2 more"
    );
    assert_eq!(bodies(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1})), "");
    let not_found = answer(404, "application/json", "{}");
    assert_eq!(told(&pets(), &json_answer(&was), &not_found), "status: 200 became 404");
}

#[test]
fn what_is_volatile_need_only_look_alike() {
    let was = json!([{"id": "0198f3a1-0000-7000-8000-000000000000", "at": "2026-11-22T03:00:00Z", "rank": 1, "etag": [1],
        "child": {"at": "2026-11-22T03:00:00Z"}}]);
    let is = json!([{"id": "aaaaaaaa-0000-7000-8000-00000000000a", "at": "2026-11-23T03:00:00.5+01:00", "rank": 7,
        "etag": [], "child": {"at": "2027-11-22T03:00:00Z"}}]);
    assert_eq!(bodies(&was, &is), "");
    let broken = json!([{"id": "none", "at": null, "rank": "7", "etag": {}, "child": {"at": "today"}}]);
    let found = Comparison::of_request(&pets(), "GET", "/pets")
        .differences(&json_answer(&was), &json_answer(&broken));
    assert_eq!(found.len(), 5, "{found:?}");
    // What is no moment is compared like any other text.
    assert_eq!(bodies(&json!([{"at": "a"}]), &json!([{"at": "b"}])), "body/0/at: \"a\" became \"b\"");
}

#[test]
fn only_headers_that_matter_are_compared() {
    let body = json!([]);
    let was = json_answer(&body);
    let add = |name: &str, value: &str| with(json_answer(&body), name, value);
    for (name, value) in [("x-other", "1"), ("etag", "\"a\""), ("date", "now"), ("x-request-id", "r")] {
        assert_eq!(told(&pets(), &was, &add(name, value)), "", "{name}");
    }
    assert_eq!(told(&pets(), &was, &add("x-count", "3")), "headers.x-count: 3 is new");
    assert_eq!(told(&pets(), &add("location", "/a"), &was), "headers.location: /a is gone");
    let (first, second) =
        ("/pets/0198f3a1-0000-7000-8000-000000000000?a=1", "/pets/aaaaaaaa-0000-7000-8000-000000000000?a=1");
    assert_eq!(told(&pets(), &add("location", first), &add("location", second)), "");
    assert_ne!(told(&pets(), &add("location", first), &add("location", "/pets/7?a=1")), "");
    let at = |value: &str| add("x-at", value);
    assert_eq!(told(&pets(), &at("2026-11-22T03:00:00Z"), &at("2026-11-22T03:00:01Z")), "");
    assert_ne!(told(&pets(), &at("2026-11-22T03:00:00Z"), &at("soon")), "");
}

fn redacted(places: &[&str], expected: &Answer, actual: &Answer) -> String {
    let places: Vec<String> = places.iter().map(|place| format!("answer.{place}")).collect();
    let document = pets();
    summary(
        &Comparison::of_request(&document, "GET", "/pets").redacted(&places).differences(expected, actual),
    )
}

#[test]
fn what_was_redacted_is_not_compared() {
    let (was, is) = (json!({"to/ken": REDACTED, "a": 1}), json!({"to/ken": "secret", "a": 1}));
    for place in ["body", "body/to~1ken"] {
        assert_eq!(redacted(&[place], &json_answer(&was), &json_answer(&is)), "", "{place}");
    }
    let printed = json!({"a": format!("hello {REDACTED}!")});
    assert_eq!(redacted(&["body"], &json_answer(&printed), &json_answer(&json!({"a": "hello you!"}))), "");
    let whole = |body: &str| answer(200, "application/octet-stream", body.to_owned());
    assert_eq!(redacted(&["body"], &whole(REDACTED), &whole("secret")), "");
    assert_eq!(redacted(&["body/a"], &whole("a=%5Bredacted%5D&b=1"), &whole("a=2&b=1")), "");
    let header = |value: &str| with(json_answer(&json!([])), "location", value);
    for place in ["headers", "headers.location"] {
        assert_eq!(redacted(&[place], &header(REDACTED), &header("/secret")), "", "{place}");
    }
}

#[test]
fn a_text_that_looks_redacted_and_is_not_is_compared() {
    let (was, is) = (json!({"a": REDACTED, "b": REDACTED}), json!({"a": "secret", "b": "other"}));
    let told = bodies(&was, &is);
    assert_eq!(told, "body/a: \"[redacted]\" became \"secret\"; body/b: \"[redacted]\" became \"other\"");
    let elsewhere = ["body/a", "headers", "drawn.calls.0.url"];
    assert!(redacted(&elsewhere, &json_answer(&was), &json_answer(&is)).starts_with("body/b: "));
    let whole = |body: &str| answer(200, "application/octet-stream", body.to_owned());
    assert_ne!(redacted(&["headers.location"], &whole(REDACTED), &whole("secret")), "");
    let header = |value: &str| with(json_answer(&json!([])), "location", value);
    assert_ne!(redacted(&["headers.set-cookie", "body"], &header(REDACTED), &header("/secret")), "");
}

#[test]
fn of_a_secret_only_the_place_is_told() {
    let pet = json!({"type": "object", "properties": {"session": {"type": "string", "x-funcatron-secret": true},
        "owner": {"properties": {"pin": {"type": "string", "format": "password"}}}}});
    let document = document(&pet);
    let told = |was: &Value, is: &Value| told(&document, &json_answer(was), &json_answer(is));
    let was = json!({"session": "abcdefgh", "owner": {"pin": "1234", "name": "A"}});
    let is = json!({"session": "stuvwxyz", "owner": {"pin": "5678", "name": "B"}});
    assert_eq!(
        told(&was, &is),
        "body/session: differs; body/owner/pin: differs; body/owner/name: \"A\" became \"B\""
    );
    assert_eq!(told(&json!({}), &was), "body/session: differs; body/owner: differs");
    assert_eq!(told(&was, &json!([7])), "body: differs");
    // Nor where it is said once more.
    let link = json!({"session": "stuvwxyz", "link": "/login?s=stuvwxyz"});
    assert_eq!(told(&json!({"session": "stuvwxyz"}), &link), "body/link: differs");
    let there = with(json_answer(&link), "location", "/login?s=stuvwxyz");
    let found = Comparison::of_request(&document, "GET", "/pets").differences(&json_answer(&link), &there);
    assert_eq!(summary(&found), "headers.location: differs");
    let broken = |body: &str| answer(200, "application/json", body.to_owned());
    let found = Comparison::of_request(&document, "GET", "/pets");
    assert_eq!(summary(&found.differences(&broken("{\"session\":\"a"), &broken("{}"))), "body: differs");
    // What a header says that carries credentials, is nobody's to read either.
    let cookie = json!({"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {"/pets": {"get": {
        "operationId": "x", "responses": {"200": {"description": "", "headers": {
            "Set-Cookie": {"schema": {"type": "string"}},
            "X-Ticket": {"schema": {"type": "string", "format": "password"}}}}}}}}});
    let document = Document::parse(cookie.to_string().as_bytes()).unwrap();
    for name in ["set-cookie", "x-ticket"] {
        let header = |value: &str| with(json_answer(&json!([])), name, value);
        let found = Comparison::of_request(&document, "GET", "/pets");
        let told = summary(&found.differences(&header("abcdefgh"), &header("stuvwxyz")));
        assert_eq!(told, format!("headers.{name}: differs"));
    }
}

#[test]
fn what_differs_anyway_hides_nothing_that_comes_after_it() {
    let pets = |ms: u32, name: &str| {
        let items: Vec<Value> = (0..150).map(|_| json!({"ms": ms})).collect();
        json_answer(&json!({"items": items, "name": name}))
    };
    let document = document(&json!({}));
    let comparison = Comparison::of_request(&document, "GET", "/pets");
    let mut noise = Noise::default();
    noise.learn(Some("listPets"), &comparison.differences(&pets(1, "Rex"), &pets(2, "Rex")));
    assert_eq!(noise.places(), ["listPets body/items/*/ms"]);
    let comparison = comparison.without(&noise, Some("listPets"));
    let found = comparison.differences(&pets(1, "Rex"), &pets(2, "Max"));
    assert_eq!(summary(&found), "body/name: \"Rex\" became \"Max\"");
}

#[test]
fn what_is_not_json_is_compared_to_the_byte() {
    let text = |body: &str| answer(200, "application/octet-stream", body.to_owned());
    assert_eq!(
        told(&pets(), &text("abc"), &text("abd")),
        "body: \"abc\" of 3 bytes became \"abd\" of 3 bytes"
    );
    let broken = |body: &str| answer(200, "application/json", body.to_owned());
    assert_ne!(told(&pets(), &broken("{"), &broken("{}")), "");
    let plain = |body: &str| answer(200, "text/plain", body.to_owned());
    assert_eq!(told(&pets(), &plain("2026-11-22T03:00:00Z"), &plain("2026-11-22T03:00:09Z")), "");
    assert_ne!(told(&pets(), &plain("2026-11-22T03:00:00Z"), &plain("today")), "");
}

#[test]
fn a_body_in_the_store_is_known_by_its_hash() {
    let stored = |bytes: &[u8]| {
        let len = bytes.len() as u64;
        Body::Stored(StoredBody { object: BodySha::of(b"index"), sha256: BodySha::of(bytes), len })
    };
    let octets = |body: Body| answer(200, "application/octet-stream", body);
    let inline = octets(Body::from(b"abc".to_vec()));
    assert_eq!(told(&pets(), &octets(stored(b"abc")), &inline), "");
    assert!(told(&pets(), &octets(stored(b"abd")), &inline).starts_with("body: 3 bytes with SHA-256 "));
}

#[test]
fn an_answer_that_is_all_different_is_told_of_in_part() {
    let (was, is): (Vec<u32>, Vec<u32>) = ((0..10_000).collect(), (1..10_001).collect());
    let found = Comparison::of_request(&pets(), "GET", "/pets")
        .differences(&json_answer(&json!(was)), &json_answer(&json!(is)));
    assert_eq!(found.len(), 100);
}

#[test]
fn why_a_func_threw_is_compared_only_where_both_tell_it() {
    let threw = |members: &Value| {
        let mut body = json!({"type": "about:blank", "status": 500});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        answer(500, "application/problem+json", body.to_string())
    };
    let untold = threw(&json!({"detail": "the Func failed"}));
    let told_of = threw(&json!({"detail": "no stock", "stack": "order@index.js:3:7"}));
    let other = threw(&json!({"detail": "no price", "stack": "order@index.js:4:7"}));
    assert_eq!(told(&pets(), &untold, &told_of), "");
    assert_eq!(told(&pets(), &told_of, &untold), "");
    assert_ne!(told(&pets(), &told_of, &other), "");
    assert_ne!(told(&pets(), &untold, &threw(&json!({"detail": "no stock", "code": 7}))), "");
}

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-d]", inner, 0..5)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Changes the leaf at this place, counted in the order of the text.
fn change_leaf(value: &mut Value, at: &mut usize) {
    match value {
        Value::Array(items) if !items.is_empty() => items.iter_mut().for_each(|item| change_leaf(item, at)),
        Value::Object(members) if !members.is_empty() => {
            members.values_mut().for_each(|member| change_leaf(member, at));
        }
        leaf => {
            if *at == 0 {
                *leaf = json!("changed to what nothing else is");
            }
            *at = at.wrapping_sub(1);
        }
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(leaves).sum(),
        Value::Object(members) if !members.is_empty() => members.values().map(leaves).sum(),
        _ => 1,
    }
}

/// Keywords of schemas around references, so that hostile documents are met as well as good ones.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"$ref": "#/components/schemas/Pet"})),
        Just(json!({"type": "string", "format": "date-time"})),
        Just(json!({"readOnly": true})),
        Just(json!({})),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|schema| json!({"type": "array", "items": schema})),
            inner.clone().prop_map(|schema| json!({"properties": {"a": schema}})),
            inner.clone().prop_map(|schema| json!({"additionalProperties": schema})),
            proptest::collection::vec(inner, 1..3).prop_map(|schemas| json!({"anyOf": schemas})),
        ]
    })
}

proptest! {
    #[test]
    fn an_answer_is_the_same_as_itself(body in any_json(), schema in any_schema()) {
        let answer = json_answer(&body);
        prop_assert_eq!(told(&document(&schema), &answer, &answer), "");
    }

    #[test]
    fn any_two_answers_are_compared_and_noise_hides_all_of_it(was in any_json(), is in any_json(), schema in any_schema()) {
        let (was, is, document) = (json_answer(&was), json_answer(&is), document(&schema));
        let comparison = Comparison::of_request(&document, "GET", "/pets");
        let (there, back) = (comparison.differences(&was, &is), comparison.differences(&is, &was));
        prop_assert_eq!(there.len(), back.len());
        let mut noise = Noise::default();
        noise.learn(comparison.operation(), &there);
        prop_assert_eq!(comparison.without(&noise, comparison.operation()).differences(&was, &is), vec![]);
    }

    #[test]
    fn one_leaf_that_changed_is_found_unless_it_is_volatile(body in any_json(), pick in any::<proptest::sample::Index>()) {
        let mut changed = body.clone();
        change_leaf(&mut changed, &mut pick.index(leaves(&body)));
        let plain = document(&json!({}));
        prop_assert_eq!(Comparison::of_request(&plain, "GET", "/pets")
            .differences(&json_answer(&body), &json_answer(&changed)).len(), 1);
        let volatile = document(&json!({"x-funcatron-volatile": true}));
        let same_kind = body.is_array() == changed.is_array() && body.is_object() == changed.is_object()
            && body.is_string() == changed.is_string();
        if same_kind {
            prop_assert_eq!(told(&volatile, &json_answer(&body), &json_answer(&changed)), "");
        }
    }
}
