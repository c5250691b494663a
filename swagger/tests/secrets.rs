//! What a document marks as secret, and where that stands in what is sent.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests stand outside of test functions")]

mod call;

use call::{parse, v3};
use proptest::prelude::*;
use serde_json::{Value, json};
use swagger::{Document, Payload, Request, Secrets};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A document with one operation whose body, and answer, has this schema.
fn document(schema: &Value, schemas: &Value) -> Document {
    let content = json!({JSON: {"schema": schema}, FORM: {"schema": schema}, "text/plain": {"schema": schema},
        "multipart/form-data": {"schema": schema}});
    let post = json!({"operationId": "post", "requestBody": {"content": content},
        "responses": {"2XX": {"description": "ok", "content": content,
            "headers": {"X-Token": {"schema": {"type": "string", "format": "password"}}, "X-Count": {}}}}});
    parse(&v3(json!({"/x": {"post": post}}), json!({"schemas": schemas})))
}

fn login() -> Document {
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"},
        "password": {"type": "string", "format": "password", "minLength": 8}}});
    document(&schema, &json!({}))
}

fn secrets(document: &Document, content_type: &str, body: &str) -> Secrets {
    document.operations()[0].request_secrets(content_type, Some(body.as_bytes()))
}

/// What is secret of a body, by pointer and bytes.
fn found<'b>(document: &Document, content_type: &str, body: &'b str) -> Vec<(String, &'b str)> {
    let (Secrets::Values(places) | Secrets::Fields(places)) = secrets(document, content_type, body) else {
        panic!("{:?}", secrets(document, content_type, body))
    };
    places.into_iter().map(|place| (place.pointer, &body[place.bytes])).collect()
}

#[test]
fn a_field_is_found_where_it_stands_and_as_it_is_written() {
    let body = "{ \"name\":\"a\\u0062c\", \"password\" : \"s\\\"1\", \"password\":[1, 2] }";
    let expected = [("/password".to_owned(), "\"s\\\"1\""), ("/password".to_owned(), "[1, 2]")];
    assert_eq!(found(&login(), JSON, body), expected);
    let form = "name=a&pass%77ord=s%201&password=";
    assert_eq!(found(&login(), FORM, form), [("/password".to_owned(), "s%201")]);
    let Secrets::Fields(places) = secrets(&login(), FORM, form) else { panic!() };
    assert_eq!(places[0].texts, ["s 1", "s%201"]);
}

#[test]
fn a_secret_is_found_behind_references_lists_maps_and_circles() {
    let schemas = json!({
        "Key": {"type": "string", "x-funcatron-secret": true},
        "Tree": {"properties": {"key": {"$ref": "#/components/schemas/Key"},
            "next": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
        "Any": {"oneOf": [{"type": "integer"}, {"$ref": "#/components/schemas/Tree"}],
            "additionalProperties": {"properties": {"deep": {"allOf": [{"$ref": "#/components/schemas/Key"}]}}}}
    });
    let document = document(&json!({"$ref": "#/components/schemas/Any"}), &schemas);
    let body =
        r#"{"next":[{},{"key":"k1","next":[{"key":"k2"}]}],"x":{"deep":"k3","key":"free"},"key":null}"#;
    let expected = [("/next/1/key", "\"k1\""), ("/next/1/next/0/key", "\"k2\""), ("/x/deep", "\"k3\"")];
    assert_eq!(found(&document, JSON, body), expected.map(|(pointer, text)| (pointer.to_owned(), text)));
}

#[test]
fn what_cannot_be_taken_apart_is_secret_as_a_whole() {
    for (content_type, body) in [
        (JSON, "{\"password\":\"s\""),
        (FORM, "password=s&%zz=1"),
        ("multipart/form-data; boundary=a", "--a--"),
        ("text/plain", "s"),
        ("image/png", "s"),
        ("", "s"),
    ] {
        assert_eq!(secrets(&login(), content_type, body), Secrets::Somewhere, "{content_type}");
    }
    assert_eq!(login().operations()[0].request_secrets(JSON, None), Secrets::Somewhere);
    let open = document(&json!({"properties": {"name": {}}}), &json!({}));
    assert_eq!(secrets(&open, JSON, "{"), Secrets::None);
    assert_eq!(open.operations()[0].request_secrets("image/png", None), Secrets::None);
}

#[test]
fn a_form_that_is_none_is_secret_as_a_whole() {
    for body in [r#" {"password":"hunter22","a":"b=c"}"#, "[\"hunter22\"]", "hunter22"] {
        assert_eq!(secrets(&login(), FORM, body), Secrets::Somewhere, "{body}");
        assert_eq!(secrets(&form_of_swagger_2(), FORM, body), Secrets::Somewhere, "{body}");
    }
    for content_type in [JSON, "text/plain", "multipart/form-data", ""] {
        let secrets = secrets(&form_of_swagger_2(), content_type, "password=hunter22");
        assert_eq!(secrets, Secrets::Somewhere, "{content_type}");
    }
}

#[test]
fn a_body_may_nest_as_deep_and_hold_as_many_secrets_as_it_likes() {
    let schemas = json!({"Tree": {"properties": {"key": {"x-funcatron-secret": true},
        "next": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}});
    let document = document(&json!({"$ref": "#/components/schemas/Tree"}), &schemas);
    let nested = |depth: usize| format!("{}{{\"key\":1}}{}", "{\"next\":[".repeat(depth), "]}".repeat(depth));
    assert_eq!(found(&document, JSON, &nested(60)).len(), 1);
    // What is beside the way to any secret may be as it likes, and so may a secret.
    let aside = format!("{{\"other\":{0}{1},\"key\":{0}\"a\"{1}}}", "[".repeat(1 << 16), "]".repeat(1 << 16));
    assert_eq!(found(&document, JSON, &aside).len(), 1);
    let many = format!("{{\"next\":[{}{{}}]}}", "{\"key\":1},".repeat(1 << 14));
    for body in [nested(1 << 14), "{\"next\":[".repeat(1 << 15), many] {
        assert_eq!(secrets(&document, JSON, &body), Secrets::Somewhere);
    }
}

#[test]
fn a_secret_says_each_text_and_number_that_is_in_it() {
    let body = r#"{"password": {"a": ["x\u0079", -12.50, true, null, ""], "b": {"c": "\"q\""}}}"#;
    let Secrets::Values(places) = secrets(&login(), JSON, body) else { panic!() };
    assert_eq!(places.len(), 1);
    assert_eq!(places[0].texts, ["xy", "x\\u0079", "-12.50", "\"q\"", "\\\"q\\\""]);
}

#[test]
fn where_no_schema_is_known_names_tell() {
    let named = |content_type: &str, body: &str| {
        let (Secrets::Values(places) | Secrets::Fields(places)) =
            Secrets::named(content_type, body.as_bytes(), |name| name == "token")
        else {
            return vec!["(all)".to_owned()];
        };
        places.into_iter().map(|place| format!("{} {}", place.pointer, &body[place.bytes])).collect()
    };
    let json = r#"{"a":[{"token":"t1"}],"token":{"id":"t2","n":[3,true]},"b":{"token":null,"c":""}}"#;
    let expected = ["/a/0/token \"t1\"", "/token \"t2\"", "/token 3"];
    for content_type in [JSON, FORM, "text/plain", ""] {
        assert_eq!(named(content_type, json), expected, "{content_type}");
    }
    assert_eq!(named("application/x-ndjson", "{\"token\":1}\n{\"token\":2}\n"), ["/token 1", "/token 2"]);
    assert_eq!(named(FORM, "grant=a&token=t%201"), ["/token t%201"]);
    assert_eq!(named(JSON, r#"{"token":"t"#), ["(all)"]);
    let long = format!(r#"{{"{}":[{{"token":1}},{{"token":2}}]}}"#, "a".repeat(40 << 10));
    assert_eq!(named(JSON, &long), ["(all)"], "what names its places is bounded");
    assert_eq!(named(FORM, r#"{"token":"t"#), ["(all)"]);
    assert_eq!(Secrets::named(JSON, b"no JSON", |_| true), Secrets::None);
    assert_eq!(named(JSON, "\u{feff}{\"token\":1}"), ["(all)"]);
    for text in ["[info] token=1", "token=1"] {
        assert_eq!(Secrets::named("text/plain", text.as_bytes(), |_| true), Secrets::None);
    }
}

#[test]
fn answers_have_secrets_by_their_status() {
    let document = login();
    let operation = &document.operations()[0];
    let body = Some(&br#"{"password":"s"}"#[..]);
    assert!(
        matches!(operation.response_secrets(201, JSON, body), Secrets::Values(places) if places.len() == 1)
    );
    assert_eq!(operation.response_secrets(404, JSON, body), Secrets::None);
    assert!(operation.is_secret_response_header(200, "x-token"));
    assert!(!operation.is_secret_response_header(200, "x-count"));
    assert!(!operation.is_secret_response_header(404, "x-token"));
}

#[test]
fn parameters_and_api_keys_are_found_by_name() {
    let secret = json!({"type": "string", "format": "password"});
    let get = json!({"operationId": "get", "responses": {}, "parameters": [
        {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
        {"name": "code", "in": "path", "required": true, "schema": secret},
        {"name": "X-Pin", "in": "header", "x-funcatron-secret": true, "schema": {"type": "string"}},
        {"name": "deep", "in": "query", "style": "deepObject", "schema": {"properties": {"pin": secret}}},
        {"name": "page", "in": "query", "schema": {"type": "integer"}}
    ]});
    let schemes = json!({"h": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "q": {"type": "apiKey", "in": "query", "name": "api key"}});
    let components = json!({"securitySchemes": schemes});
    let document = parse(&v3(json!({"/a/{id}/of-{code}": {"get": get}}), components));
    let operation = &document.operations()[0];
    assert_eq!(operation.secret_segments().collect::<Vec<_>>(), [None, None, Some("of-{code}")]);
    assert!(operation.is_secret_header("x-pin") && !operation.is_secret_header("x-key"));
    assert!(document.is_api_key_header("x-key") && !document.is_api_key_header("x-pin"));
    let query = "page=1&api+key=k1&deep[pin]=k2&deep%5Bpin%5D=k3";
    let pointers = |operation| match document.query_secrets(operation, query, |_| false) {
        Secrets::Fields(places) => places.iter().map(|place| query[place.bytes.clone()].to_owned()).collect(),
        other => panic!("{other:?}"),
    };
    assert_eq!(pointers(Some(operation)), ["k1", "k2", "k3"]);
    let unknown: Vec<String> = pointers(None);
    assert_eq!(unknown, ["k1"]);
}

fn form_of_swagger_2() -> Document {
    let post = json!({"operationId": "post", "responses": {}, "parameters": [
        {"name": "name", "in": "formData", "type": "string"},
        {"name": "password", "in": "formData", "type": "string", "format": "password"}]});
    let document =
        json!({"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": {"/x": {"post": post}}});
    parse(&document)
}

#[test]
fn forms_of_swagger_2_have_secrets() {
    let document = form_of_swagger_2();
    assert_eq!(found(&document, FORM, "name=a&password=s"), [("/password".to_owned(), "s")]);
    assert_eq!(secrets(&document, "multipart/form-data", "s"), Secrets::Somewhere);
}

#[test]
fn a_fault_does_not_quote_a_secret() {
    let check = |body: &str| {
        let headers = [("content-type".to_owned(), JSON.to_owned())];
        let body = Payload::Whole(body.as_bytes());
        let request = Request { method: "POST", path: "/x", query: "", headers: &headers, body };
        let reasons = login().check(&request).unwrap_err().faults.into_iter().map(|fault| fault.reason);
        reasons.collect::<String>()
    };
    for body in [r#"{"password":"canary"}"#, r#"{"password":["canary"]}"#, r#"[{"password":"canary"}]"#] {
        let reasons = check(body);
        assert!(!reasons.contains("canary") && !reasons.is_empty(), "{reasons}");
    }
}

proptest! {
    #[test]
    fn all_but_the_secrets_stays_as_it_is(
        names in proptest::collection::vec("[a-c]|password", 0..6),
        secret in "[a-zA-Z0-9 \\\\\"é]{1,12}",
    ) {
        let members: Vec<String> =
            names.iter().map(|name| format!("{} :{}", json!(name), json!(secret))).collect();
        let body = format!("{{ {} }}", members.join(" , "));
        let mut left = body.clone();
        let Secrets::Values(places) = secrets(&login(), JSON, &body) else { panic!() };
        prop_assert_eq!(places.len(), names.iter().filter(|name| *name == "password").count());
        let hidden: usize = places.iter().map(|place| place.bytes.len()).sum();
        for place in places.into_iter().rev() {
            prop_assert_eq!(&body[place.bytes.clone()], json!(secret).to_string());
            prop_assert_eq!(place.texts.first(), Some(&secret));
            left.replace_range(place.bytes, "");
        }
        prop_assert_eq!(left.len() + hidden, body.len());
    }
}
