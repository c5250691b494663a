//! What the platform says about what it does.

use std::time::Instant;

use harness::PATIENCE;
use serde_json::Value;

use crate::harness::{Platform, sample, test_func};

fn top(platform: &Platform, arguments: &[&str]) -> String {
    let output = platform.command(&[&["top"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn calls_are_seen_in_statistics_and_in_top() {
    let platform = Platform::serving(&[&sample("hello-js"), &test_func("hostile")]);
    assert_eq!(platform.get("/hello/ada").status, 200);
    let stats = platform.admin("GET", "/api/v1/stats", b"").json();
    assert_eq!((stats["routes"].as_array().unwrap().len(), &stats["pools"]), (2, &Value::Array(vec![])));

    let begun = Instant::now();
    loop {
        (0..20).for_each(|_| assert_eq!(platform.get("/hello/ada").status, 200));
        let table = top(&platform, &["--once"]);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split("  ").collect()).collect();
        let columns: Vec<&str> = table.lines().nth(2).unwrap().split_whitespace().collect();
        assert_eq!(columns[..4], ["ROUTE", "CALLS/S", "FAIL/S", "QUEUED"], "{table}");
        assert!(!table.contains('\u{1b}'), "it is no terminal: {table}");
        let row: Vec<&str> =
            lines[3].iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
        if row[0] == "/hello" && row[1] != "0" && row[5].ends_with("s") && row[9] == "1" {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{table}");
    }
    for arguments in [&["--json"][..], &["-o", "json"]] {
        let stats: Value = serde_json::from_str(&top(&platform, arguments)).unwrap();
        let hello = stats["routes"].as_array().unwrap().iter().find(|route| route["base_path"] == "/hello");
        assert_eq!(
            (&hello.unwrap()["title"], &hello.unwrap()["cost_per_call"]),
            (&"Hello in JavaScript".into(), &Value::Null)
        );
        assert!(hello.unwrap()["service_ms"]["p99"].as_f64() > Some(0.0), "{stats}");
    }
}
