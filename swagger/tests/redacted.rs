//! Requests out of which secrets were taken are judged by what is left of them.

mod call;

use call::{call, parse, v3};
use serde_json::json;
use swagger::Document;

fn document() -> Document {
    let text = json!({"type": "string", "minLength": 20});
    let parameter = |name: &str, place: &str| json!({"name": name, "in": place, "required": place == "path", "schema": text});
    let body = json!({"type": "object", "properties": {"pin": {"type": "integer"}, "name": text}});
    parse(&v3(
        json!({"/a/{id}": {"post": {
            "operationId": "a", "security": [{"bearer": []}, {"cookie": []}],
            "parameters": [parameter("id", "path"), parameter("q", "query"), parameter("x-h", "header"), parameter("c", "cookie")],
            "requestBody": {"content": {"application/json": {"schema": body}, "application/x-www-form-urlencoded": {"schema": body}}}}}}),
        json!({"securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"}, "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"}}}),
    ))
}

const ID: &str = "/a/12345678901234567890";

#[test]
fn what_was_taken_out_was_fit() {
    let with = |name: &str| call("POST", ID).header(name, "[redacted]");
    let authorized = || with("authorization");
    let document = document();
    for call in [
        authorized(),
        with("cookie"),
        call("POST", "/a/%5Bredacted%5D").header("authorization", "[redacted]"),
        authorized().query("q=%5Bredacted%5D"),
        authorized().header("x-h", "[redacted]"),
        authorized().json(&json!({"pin": "[redacted]"})),
        authorized().body("application/json", "[redacted]"),
        authorized().body("application/x-www-form-urlencoded", "pin=%5Bredacted%5D"),
    ] {
        assert!(call.fits_redacted(&document));
        assert!(call.on(&document).is_err(), "only who runs it again may say so");
    }
}

#[test]
fn what_is_left_is_judged_as_ever() {
    let authorized = || call("POST", ID).header("authorization", "[redacted]");
    let document = document();
    for call in [
        call("POST", ID),
        call("POST", "/a/short").header("authorization", "[redacted]"),
        authorized().query("q=short&z=%5Bredacted%5D"),
        authorized().header("x-h", "short"),
        authorized().json(&json!({"pin": "[redacted]", "name": "short"})),
        authorized().json(&json!({"pin": "no number"})),
        authorized().body("text/plain", "[redacted]"),
    ] {
        assert!(!call.fits_redacted(&document));
    }
}
