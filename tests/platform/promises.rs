//! Calls whose callers do not wait, as they and the servers that they name see them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use harness::{PATIENCE, Reply};
use serde_json::Value;

use crate::harness::{Platform, sample, test_func};

const ASYNC: (&str, &str) = ("prefer", "respond-async");

/// Where a call is that was accepted.
#[track_caller]
fn location(reply: &Reply) -> String {
    assert_eq!((reply.status, reply.header("preference-applied")), (202, Some("respond-async")), "{reply:?}");
    assert_eq!(reply.json()["status"], "pending");
    reply.header("location").unwrap().to_owned()
}

/// The status of a call that has ended.
fn ended(platform: &Platform, location: &str) -> Value {
    platform.until(location, |reply| reply.json()["status"] != "pending").json()
}

#[test]
fn the_result_of_a_call_is_there_to_be_fetched() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    let location = location(&platform.send("GET", "/hello/ada", &[ASYNC], b""));
    let status = ended(&platform, &location);
    assert_eq!((&status["status"], &status["response_status"]), (&"done".into(), &200.into()));
    for _ in 0..2 {
        let result = platform.get(status["result"].as_str().unwrap());
        assert_eq!(result.status, 200);
        assert!(result.text().contains("ada"), "{result:?}");
    }
}

#[test]
fn a_request_that_breaks_its_document_is_told_in_the_result() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    let headers = [ASYNC, ("content-type", "application/json")];
    let location = location(&platform.send("POST", "/hello", &headers, br#"{"name": 7}"#));
    assert_eq!(ended(&platform, &location)["status"], "done");
    platform.get(&format!("{location}/result")).problem(400);
}

#[test]
fn a_call_is_cancelled_while_it_runs() {
    let platform = Platform::serving(&[&test_func("hostile")]);
    let location = location(&platform.send("GET", "/hostile/sleep?seconds=20", &[ASYNC], b""));
    let reply = platform.send("DELETE", &location, &[], b"");
    assert_eq!((reply.status, &reply.json()["cancelling"]), (202, &true.into()), "{reply:?}");
    assert_eq!(ended(&platform, &location)["status"], "cancelled");
    platform.get(&format!("{location}/result")).problem(410);
}

#[test]
fn a_call_that_failed_each_time_is_kept_for_the_operator() {
    // One route before it and one after it in every order.
    let others = [sample("hello-js"), test_func("stream")];
    let platform = Platform::serving(&[&test_func("hostile"), &others[0], &others[1]]);
    let location = location(&platform.send("GET", "/hostile/panic", &[ASYNC], b""));
    let status = ended(&platform, &location);
    assert_eq!((&status["status"], &status["response_status"]), (&"failed".into(), &502.into()));
    let dead = String::from_utf8(platform.command(&["dlq", "list"]).stdout).unwrap();
    assert!(dead.contains("/hostile"), "{dead}");
}

#[test]
fn results_are_posted_where_the_caller_wants_them_and_the_operator_allows() {
    let sink = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = sink.local_addr().unwrap().to_string();
    let platform = Platform::posting(&[&sample("hello-js")], &host);
    let ask = |url: &str| platform.send("GET", "/hello/ada", &[ASYNC, ("x-callback-url", url)], b"");
    ask("http://127.0.0.1:1/").problem(400);
    let location = location(&ask(&format!("http://{host}/done")));

    let (stream, _) = sink.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    assert_eq!(head[0], "POST /done HTTP/1.1");
    assert!(head.contains(&format!("x-funcatron-call: {location}")), "{head:?}");
    assert!(String::from_utf8(body).unwrap().contains("ada"));

    let begun = Instant::now();
    let taken = |status: &Value| status["callback"]["attempts"] == 1 && status["callback"]["error"].is_null();
    while !taken(&platform.get(&location).json()) {
        assert!(begun.elapsed() < PATIENCE);
    }
}
