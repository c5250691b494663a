//! A Func that misbehaves gets the right problem and harms nobody.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::harness::{Platform, sample, test_func};

fn hostile() -> Platform {
    Platform::serving(&[&test_func("hostile"), &sample("hello-rust")])
}

/// The Func beside it and the hostile one itself answer as if nothing had been.
fn assert_unharmed(platform: &Platform) {
    assert_eq!(platform.get("/hello-rust").status, 200);
    assert_eq!(platform.get("/hostile/polite").status, 200);
}

#[test]
fn a_func_that_fails_is_a_bad_gateway() {
    let platform = hostile();
    for path in ["panic", "recurse", "allocate", "silent", "huge", "infinite", "truncated"] {
        let problem = platform.get(&format!("/hostile/{path}")).problem(502);
        assert_eq!(problem["component"], "func", "{path}: {problem}");
        assert_unharmed(&platform);
    }
}

#[test]
fn a_func_that_runs_away_is_ended() {
    let platform = hostile();
    let runaways: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = platform.connect();
            stream.write_all(b"GET /hostile/spin HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
            stream
        })
        .collect();
    // The others are served meanwhile.
    for _ in 0..20 {
        assert_eq!(platform.get("/hello-rust").status, 200);
    }
    for mut stream in runaways {
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 504"), "{reply}");
        assert!(reply.contains("\"component\":\"func\""), "{reply}");
    }
    assert_unharmed(&platform);
}

#[test]
fn a_status_that_is_none_never_reaches_the_client() {
    let platform = hostile();
    for code in [0, 99, 100, 101, 600, 999] {
        let status = platform.get(&format!("/hostile/status?code={code}")).status;
        assert!([200, 500, 502].contains(&status), "{code} became {status}");
    }
    assert_unharmed(&platform);
}

#[test]
fn headers_of_the_connection_stay_with_the_platform() {
    let platform = hostile();
    for query in
        ["name=connection&value=close", "name=transfer-encoding&value=chunked", "name=content-length&value=1"]
    {
        let reply = platform.get(&format!("/hostile/forbidden?{query}"));
        assert!([200, 502].contains(&reply.status), "{query}: {reply:?}");
        assert_ne!(reply.header("connection"), Some("close"));
        assert_unharmed(&platform);
    }
    for path in ["length?bytes=3", "length?bytes=9", "headers?count=40000"] {
        let reply = platform.get(&format!("/hostile/{path}"));
        reply.problem(502);
        assert_unharmed(&platform);
    }
}

#[test]
fn output_is_cut_and_the_answer_is_not() {
    let platform = hostile();
    for path in ["print", "line"] {
        let reply = platform.get(&format!("/hostile/{path}"));
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }
    assert_unharmed(&platform);
}

#[test]
fn a_func_reaches_no_network_that_it_was_not_given() {
    let platform = hostile();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "169.254.169.254"] {
        let reply = platform.get(&format!("/hostile/fetch?url=http://{host}:{port}/"));
        assert!(listener.accept().is_err(), "{host} was reached");
        assert_ne!(reply.status, 200, "{host}: {}", reply.text());
    }
    assert_unharmed(&platform);
}
