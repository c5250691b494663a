//! Whatever is sent: one clear problem, nothing harmed.

use std::io::{Read, Write};

use crate::harness::{Platform, sample};

fn echo() -> Platform {
    Platform::serving(&[&sample("echo"), &sample("hello-js")])
}

#[test]
fn a_request_that_breaks_the_document_is_told_where() {
    let platform = Platform::serving(&[&sample("petstore")]);
    let auth = ("authorization", "Bearer special-token");
    let json = ("content-type", "application/json");
    let reply = platform.send("POST", "/api/v3/pet", &[auth, json], br#"{"name":7,"photoUrls":[]}"#);
    let problem = reply.problem(400);
    assert_eq!(problem["component"], "runner");
    assert_eq!(problem["errors"][0]["in"], "body");
    assert_eq!(problem["errors"][0]["pointer"], "/name");
    let problem = platform.send("GET", "/api/v3/pet/abc", &[("api_key", "special-key")], b"").problem(400);
    assert_eq!(problem["errors"][0]["in"], "path");
    assert_eq!(problem["errors"][0]["pointer"], "/petId");
}

#[test]
fn unknown_paths_and_verbs_are_told_apart() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    platform.get("/nowhere").problem(404);
    platform.get("/hellox").problem(404);
    platform.get("/hello/a/b/c").problem(404);
    let reply = platform.send("DELETE", "/hello/ada", &[], b"");
    reply.problem(405);
    assert!(reply.header("allow").is_some_and(|allow| allow.contains("GET")));
}

#[test]
fn a_body_of_the_wrong_kind_or_size_is_refused() {
    let platform = echo();
    platform.send("POST", "/hello", &[("content-type", "text/plain")], b"ada").problem(415);
    platform.post_json("/hello", "{").problem(400);
    let mut stream = platform.connect();
    let head = "POST /hello HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 413"), "{reply}");
}

#[test]
fn malformed_http_never_reaches_a_func() {
    let platform = echo();
    for (request, statuses) in [
        ("GET /hello/a HTTP/1.1\r\nconnection: close\r\n\r\n", "400"),
        ("GET /hello/a HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n", "400"),
        ("GET /hello/a HTTP/1.1\r\nhost: a/b?c\r\nconnection: close\r\n\r\n", "400"),
        ("GET http://b/hello/a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "400"),
        ("GET /hello/%00 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "400"),
        ("GET /hello/%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "400"),
        ("GET /hello/../x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "400"),
        ("GET /hello/%2e%2e/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "400"),
        ("TRACE /hello/a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "405 501"),
        ("CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\nconnection: close\r\n\r\n", "400 405 501"),
        ("GARBAGE\r\n\r\n", "400"),
        (
            "POST /hello HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        ("POST /hello HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "400"),
        ("POST /hello HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400 501"),
    ] {
        let reply = platform.raw(request.as_bytes());
        let status = reply.get(9..12).unwrap_or_default();
        assert!(!status.is_empty() && statuses.contains(status), "{request:?} was answered {reply:?}");
        assert_eq!(reply.matches("HTTP/1.1 ").count(), 1, "{request:?} was answered {reply:?}");
    }
    assert_eq!(platform.get("/hello/ada").status, 200);
}

#[test]
fn bytes_are_exact_there_and_back() {
    let platform = echo();
    let every_byte: Vec<u8> = (0..=255).collect();
    for body in [
        &b"{\n  \"a\": 1.00 }\r\n"[..],
        b"\xff\xfe\x00",
        "grüße".as_bytes(),
        &every_byte,
        &vec![b'x'; 1 << 20],
    ] {
        let reply = platform.send("POST", "/echo", &[("content-type", "application/octet-stream")], body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.body, body);
    }
}
