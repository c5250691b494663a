//! The samples answer as their documents say.

use crate::harness::{Platform, sample};

#[test]
fn hello_greets_in_javascript() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    let reply = platform.get("/hello/ada");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.text().contains("ada"));
    assert!(reply.header("x-request-id").is_some());
}

#[test]
fn hello_greets_in_rust() {
    let platform = Platform::serving(&[&sample("hello-rust")]);
    let reply = platform.get("/hello-rust");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["message"], "hello");
}

#[test]
fn the_petstore_knows_its_pets_and_asks_for_credentials() {
    let platform = Platform::serving(&[&sample("petstore")]);
    let reply = platform.send("GET", "/api/v3/pet/1", &[("api_key", "special-key")], b"");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["id"], 1);
    let refused = platform.get("/api/v3/pet/1");
    assert_eq!(refused.status, 401, "{}", refused.text());
    assert!(refused.header("www-authenticate").is_some());
    let wrong = platform.send("GET", "/api/v3/pet/1", &[("api_key", "wrong")], b"");
    assert_eq!(wrong.status, 401, "{}", wrong.text());
}

#[test]
fn a_request_id_is_kept_and_given_back() {
    let platform = Platform::serving(&[&sample("hello-rust")]);
    let reply = platform.send("GET", "/hello-rust", &[("x-request-id", "my-id.1")], b"");
    assert_eq!(reply.header("x-request-id"), Some("my-id.1"));
    let reply = platform.send("GET", "/hello-rust", &[("x-request-id", "no good")], b"");
    assert_ne!(reply.header("x-request-id"), Some("no good"));
}

#[test]
fn samples_are_served_side_by_side() {
    let platform = Platform::serving(&[
        &sample("hello-js"),
        &sample("hello-rust"),
        &sample("petstore"),
        &sample("echo"),
    ]);
    for path in ["/hello/ada", "/hello-rust"] {
        assert_eq!(platform.get(path).status, 200, "{path}");
    }
}
