//! Which bodies a document lets pass unread: those that are too long to hold go nowhere else.
#![allow(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

mod call;

use call::{parse, v3};
use serde_json::json;
use swagger::{Document, Payload, Refusal, Request};

fn document() -> Document {
    let content = json!({
        "application/json": {},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "text/csv": {},
        "text/plain": {"schema": {"type": "string", "maxLength": 9}},
    });
    let ok = json!({"description": "ok", "content": content,
        "headers": {"X-Count": {"required": true, "schema": {"type": "integer"}}}});
    let post = json!({"operationId": "put",
        "parameters": [{"name": "n", "in": "query", "required": true, "schema": {"type": "integer"}}],
        "requestBody": {"required": true, "content": content},
        "responses": {"200": ok, "204": {"description": "nothing"}}});
    parse(&v3(json!({"/x": {"post": post}}), json!({})))
}

/// Whether a body of this type has to be read before it is accepted.
fn is_due(query: &str, content_type: &str) -> Result<bool, Refusal> {
    let headers = [("content-type".to_owned(), content_type.to_owned())];
    let body = Payload::Unread;
    let request = Request { method: "POST", path: "/x", query, headers: &headers, body };
    document().check(&request).map(|checked| checked.is_body_due)
}

#[test]
fn a_request_is_read_where_the_document_says_what_is_in_it() {
    for (content_type, due) in [
        ("application/json", true),
        ("application/octet-stream", false),
        ("text/csv", false),
        ("text/plain", true),
    ] {
        assert_eq!(is_due("n=1", content_type).unwrap(), due, "{content_type}");
    }
}

#[test]
fn an_unread_request_is_held_to_everything_else() {
    assert_eq!(is_due("n=1", "image/png").unwrap_err().status, 415);
    let faults = is_due("n=x", "application/octet-stream").unwrap_err().faults;
    assert_eq!(faults[0].pointer, "/n");
}

#[test]
fn a_response_passes_unread_only_as_a_documented_type_that_nothing_describes() {
    let document = document();
    let operation = &document.operations()[0];
    let unread = |status, content_type: Option<&str>| {
        let headers = content_type.map(|value| ("Content-Type".to_owned(), value.to_owned()));
        operation.answers_unread(status, headers.as_slice())
    };
    assert!(unread(200, Some("application/octet-stream")));
    assert!(unread(200, Some("text/csv; charset=utf-8")));
    for (status, content_type) in [
        (200, Some("application/json")),
        (200, Some("text/plain")),
        (200, Some("image/png")),
        (200, None),
        (204, Some("application/octet-stream")),
        (500, Some("application/octet-stream")),
    ] {
        assert!(!unread(status, content_type), "{status} {content_type:?}");
    }
}

#[test]
fn an_unread_response_is_held_to_its_headers() {
    let document = document();
    let operation = &document.operations()[0];
    let check = |count: Option<&str>| {
        let count = count.map(|text| ("x-count".to_owned(), text.to_owned()));
        operation.check_response_head(200, count.as_slice())
    };
    assert!(check(Some("7")).is_ok());
    assert!(check(Some("seven")).is_err());
    assert!(check(None).is_err());
    assert!(operation.check_response_head(500, &[]).is_ok());
}
