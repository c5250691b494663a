//! Requests that mean to confuse, and what becomes of them.

use frontend::Config;

use crate::harness::Stage;

const HEAD: &str = "Host: a.test\r\n";

/// Sends the input with a second request behind it; that one must not be served, and the connection closed.
async fn refused_and_closed(stage: &Stage, input: &str, status: u16) {
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let output = stage.talk(format!("{input}{smuggled}").as_bytes()).await;
    assert!(output.starts_with(&format!("HTTP/1.1 {status} ")), "{input:.200?} -> {output:?}");
    assert_eq!(output.matches("HTTP/1.1 ").count(), 1, "{input:.200?} -> {output:?}");
    assert_eq!(stage.calls(), 0, "{input:?} reached a Func");
}

#[tokio::test]
async fn ambiguous_framing_is_refused_and_the_connection_closed() {
    let stage = Stage::start(Config::default()).await;
    for (headers, body, status) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\ncontent-length: 0", "0\r\n\r\n", 400),
        ("Content-Length: 3\r\nContent-Length: 3", "abc", 400),
        ("Content-Length: 3\r\nContent-Length: 4", "abc", 400),
        ("Content-Length: 3, 3", "abc", 400),
        ("Content-Length: -1", "", 400),
        ("Content-Length: +3", "abc", 400),
        ("Content-Length: 0x3", "abc", 400),
        ("Content-Length: 3 4", "abc", 400),
        ("Content-Length: 18446744073709551616", "", 400),
        ("Content-Length : 3", "abc", 400),
        ("Transfer-Encoding: gzip, chunked", "0\r\n\r\n", 501),
        ("Transfer-Encoding: chunked, chunked", "0\r\n\r\n", 501),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n", 501),
        ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "0\r\n\r\n", 501),
        ("Transfer-Encoding: chunked, identity", "0\r\n\r\n", 400),
        ("Transfer-Encoding: identity", "", 400),
        ("Transfer-Encoding: xchunked", "0\r\n\r\n", 400),
        ("Transfer-Encoding : chunked", "0\r\n\r\n", 400),
        ("Transfer-Encoding:\u{b}chunked", "0\r\n\r\n", 400),
        ("X: a\nTransfer-Encoding: chunked", "0\r\n\r\n", 400),
        ("X: a\rTransfer-Encoding: chunked", "", 400),
        ("X: a\r\n folded", "", 400),
        (" X: a", "", 400),
        ("X", "", 400),
        (": a", "", 400),
        ("X: a\0b", "", 400),
    ] {
        let input = format!("POST / HTTP/1.1\r\n{HEAD}{headers}\r\n\r\n{body}");
        refused_and_closed(&stage, &input, status).await;
    }
}

#[tokio::test]
async fn broken_chunks_are_refused_and_the_connection_closed() {
    let stage = Stage::start(Config::default()).await;
    for body in [
        "x\r\n",
        "-1\r\na\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "10000000000000000\r\na",
        "3\nabc\n0\n\n",
        "\r\n\r\n",
    ] {
        let input = format!("POST / HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n{body}");
        refused_and_closed(&stage, &input, 400).await;
    }
}

#[tokio::test]
async fn request_lines_that_are_none_are_refused() {
    let stage = Stage::start(Config::default()).await;
    for line in [
        "GET /",
        "GET / HTTP/2.0",
        "GET / HTTP/1.2",
        "GET  / HTTP/1.1",
        "GET / a HTTP/1.1",
        "G\u{1}T / HTTP/1.1",
    ] {
        refused_and_closed(&stage, &format!("{line}\r\n{HEAD}\r\n"), 400).await;
    }
}

#[tokio::test]
async fn unclean_requests_get_a_problem_that_names_their_id() {
    let stage = Stage::start(Config::default()).await;
    for (line, headers, status) in [
        ("GET /", "", 400),
        ("GET /", "Host: a.test\r\nHost: a.test\r\n", 400),
        ("GET /", "Host:\r\n", 400),
        ("GET /", "Host: a.test, b.test\r\n", 400),
        ("GET /", "Host: a.test/abc?x=\r\n", 400),
        ("GET /", "Host: u@a.test\r\n", 400),
        ("GET /", "Host: a test\r\n", 400),
        ("GET /", "Host: b\u{fc}cher.example\r\n", 400),
        ("GET /", "Host: a.test:99999\r\n", 400),
        ("GET /", "Host: [::1\r\n", 400),
        ("GET http://b.test/", HEAD, 400),
        ("GET http://u@a.test/", HEAD, 400),
        ("GET https://a.test/", HEAD, 400),
        ("GET ftp://a.test/", HEAD, 400),
        ("GET a.test:80", HEAD, 400),
        ("OPTIONS *", HEAD, 400),
        ("GET //a", HEAD, 400),
        ("GET /a/../b", HEAD, 400),
        ("GET /a/%2e%2e/b", HEAD, 400),
        ("GET /a%00", HEAD, 400),
        ("GET /a%zz", HEAD, 400),
        ("GET /a\\b", HEAD, 400),
        ("GET /b\u{fc}cher", HEAD, 400),
        ("GET /?a=%", HEAD, 400),
        ("CONNECT a.test:80", HEAD, 405),
        ("TRACE /", HEAD, 405),
        ("BREW /", HEAD, 501),
        ("get /", HEAD, 501),
    ] {
        let mut client = stage.client().await;
        client.send(format!("{line} HTTP/1.1\r\n{headers}X-Request-Id: r-1\r\n\r\n").as_bytes()).await;
        let reply = client.reply().await;
        assert_eq!(reply.status, status, "{line} {headers:?}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{line}: {reply:?}");
        assert_eq!(reply.header("x-request-id"), Some("r-1"));
        assert!(reply.body.contains(r#""request_id":"r-1","component":"frontend""#), "{reply:?}");
    }
    assert_eq!(stage.calls(), 0);
}

#[tokio::test]
async fn heads_over_a_limit_are_refused() {
    let stage = Stage::start(Config::default()).await;
    for (line, header, count, status) in [
        (9_000, 1, 1, 414),
        (60_000, 1, 1, 414),
        (1, 33_000, 1, 431),
        (1, 200_000, 1, 431),
        (1, 1, 65, 431),
        (1, 1, 1_000, 431),
    ] {
        let headers = format!("X: {}\r\n", "a".repeat(header)).repeat(count);
        let input = format!("GET /{} HTTP/1.1\r\n{HEAD}{headers}\r\n", "a".repeat(line));
        refused_and_closed(&stage, &input, status).await;
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_sent() {
    let mut config = Config::default();
    config.limits.body_bytes_max = 10;
    let stage = Stage::start(config).await;
    for (headers, body) in [
        ("Content-Length: 11\r\nExpect: 100-continue", String::new()),
        ("Content-Length: 1000000", "a".repeat(1_000_000)),
        ("Transfer-Encoding: chunked", "8\r\naaaaaaaa\r\n8\r\naaaaaaaa\r\n".to_owned()),
    ] {
        let output = stage.talk(format!("POST / HTTP/1.1\r\n{HEAD}{headers}\r\n\r\n{body}").as_bytes()).await;
        assert!(output.starts_with("HTTP/1.1 413 "), "{headers}: {output}");
        assert!(output.contains("connection: close\r\n"), "{headers}: {output}");
    }
    assert_eq!(stage.calls(), 0);
}

#[tokio::test]
async fn a_later_pipelined_request_is_refused_alone() {
    let stage = Stage::start(Config::default()).await;
    let clean =
        format!("GET /1 HTTP/1.1\r\n{HEAD}\r\nPOST /2 HTTP/1.1\r\n{HEAD}Content-Length: 3\r\n\r\nabc");
    let dirty = format!("POST /3 HTTP/1.1\r\n{HEAD}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc");
    let output = stage.talk(format!("{clean}{dirty}{clean}").as_bytes()).await;
    let statuses: Vec<_> = output.split("HTTP/1.1 ").skip(1).map(|reply| &reply[..3]).collect();
    assert_eq!(statuses, ["200", "200", "400"], "{output}");
    assert_eq!(stage.calls(), 2);
}
