//! Calls are kept whole, leave as a file, and come back.

use std::collections::HashMap;
use std::fs;
use std::time::Instant;

use harness::PATIENCE;
use serde_json::Value;
use wire::Body;
use wire::capture::{CaptureEntry, CaptureHeader};

use crate::harness::{Platform, sample};

const CANARY: &str = "canary-0f1e2d3c";

fn text(platform: &Platform, arguments: &[&str]) -> String {
    let output = platform.command(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(platform: &Platform, arguments: &[&str]) -> Value {
    serde_json::from_str(&text(platform, arguments)).unwrap()
}

/// Starts a capture that every runner is known to follow, and its id.
fn started(platform: &Platform, arguments: &[&str]) -> String {
    let info = json(platform, &[&["capture", "start", "-o", "json"], arguments].concat());
    let id = info["capture"]["id"].as_str().unwrap().to_owned();
    let begun = Instant::now();
    while json(platform, &["capture", "show", &id, "-o", "json"])["entries"] == 0 {
        assert!(begun.elapsed() < PATIENCE, "nothing is captured");
        assert_eq!(platform.get("/echo").status, 200);
    }
    id
}

fn read(file: &str) -> (CaptureHeader, Vec<CaptureEntry>) {
    let mut lines = file.lines();
    let header = wire::decode_line(lines.next().unwrap().as_bytes()).unwrap();
    (header, lines.map(|line| wire::decode_line(line.as_bytes()).unwrap()).collect())
}

/// What clients send, by request id.
fn bodies() -> HashMap<String, (&'static str, Vec<u8>)> {
    let named = [
        ("binary", "POST", (0..=255).collect()),
        ("utf8", "PUT", "žluťoučký kůň\r\n\u{1f40e}".into()),
        ("json", "PATCH", br#"{"b": 1.0, "a": [null]}"#.to_vec()),
        ("empty", "POST", Vec::new()),
        ("large", "POST", (0..1_000_000_u32).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 13) as u8).collect()),
        ("deleted", "DELETE", Vec::new()),
    ];
    named.into_iter().map(|(id, method, body)| (id.to_owned(), (method, body))).collect()
}

#[test]
fn calls_are_kept_byte_for_byte_and_come_back() {
    let platform = Platform::serving(&[&sample("echo")]);
    let id = started(&platform, &["/echo"]);
    let mut answered = HashMap::new();
    for (name, (method, body)) in bodies() {
        let headers = [
            ("x-request-id", name.as_str()),
            ("content-type", "application/octet-stream"),
            ("x-twice", "1"),
            ("x-twice", "2"),
            ("authorization", CANARY),
        ];
        let reply = platform.send(method, "/echo?a=1&a=2", &headers, &body);
        // What breaks its document is kept like anything else: of an empty echo, that is the case.
        assert_eq!(reply.status, if body.is_empty() { 502 } else { 200 }, "{name}");
        answered.insert(name, reply);
    }
    let stopped = json(&platform, &["capture", "stop", &id, "-o", "json"]);
    assert_eq!((&stopped["state"], &stopped["missed"]), (&"stopped".into(), &0.into()));
    text(&platform, &["capture", "export", &id, "-o", "calls.jsonl"]);
    let file = fs::read_to_string(platform.folder().join("calls.jsonl")).unwrap();
    assert!(!file.contains(CANARY), "a secret is in the file");
    let (header, entries) = read(&file);
    assert_eq!(header.entries, entries.len() as u64);
    assert!(entries.is_sorted_by_key(|entry| entry.invoke.at));
    for (name, (method, body)) in bodies() {
        let found: Vec<_> = entries.iter().filter(|entry| entry.invoke.id.as_str() == name).collect();
        let [entry] = found[..] else { panic!("{name} is there {} times", found.len()) };
        assert_eq!((entry.invoke.method.as_str(), entry.invoke.query.as_str()), (method, "a=1&a=2"));
        let reply = &answered[&name];
        assert_eq!(entry.answer.status, reply.status);
        assert!(entry.invoke.body == Body::from(body), "{name}: what was sent");
        assert!(entry.answer.body == Body::from(reply.body.clone()), "{name}: what was answered");
        let twice = entry.invoke.headers.iter().filter(|(name, _)| name == "x-twice");
        assert_eq!(twice.map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    }

    let imported = json(&platform, &["capture", "import", "calls.jsonl", "-o", "json"]);
    let again = text(&platform, &["capture", "export", imported["capture"]["id"].as_str().unwrap()]);
    assert_eq!(read(&again).1, entries);
    let archive = json(&platform, &["capture", "export", "--har", &id]);
    assert_archive(&archive, &entries);
    fs::write(platform.folder().join("half.jsonl"), file.lines().next().unwrap()).unwrap();
    assert!(!platform.command(&["capture", "import", "half.jsonl"]).status.success());
    text(&platform, &["capture", "remove", &id]);
    assert_eq!(json(&platform, &["capture", "list", "-o", "json"]).as_array().unwrap().len(), 1);
}

/// What HAR 1.2 requires of every entry.
fn assert_archive(archive: &Value, entries: &[CaptureEntry]) {
    let log = &archive["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&"1.2".into(), &"funcatron".into()));
    assert_eq!(log["entries"].as_array().unwrap().len(), entries.len());
    for (archived, entry) in log["entries"].as_array().unwrap().iter().zip(entries) {
        assert!(archived["startedDateTime"].as_str().unwrap().ends_with('Z') && archived["time"].is_f64());
        assert!(archived["cache"].is_object());
        for timing in ["send", "wait", "receive"] {
            assert!(archived["timings"][timing].as_f64().unwrap() >= 0.0);
        }
        let (request, response) = (&archived["request"], &archived["response"]);
        assert_eq!(request["method"], entry.invoke.method);
        assert_eq!(response["status"], entry.answer.status);
        for part in [request, response] {
            assert!(part["httpVersion"].is_string() && part["cookies"].is_array());
            assert!(part["headersSize"].is_i64() && part["bodySize"].is_u64());
            let is_header = |header: &Value| header["name"].is_string() && header["value"].is_string();
            assert!(part["headers"].as_array().unwrap().iter().all(is_header));
        }
        assert!(request["url"].as_str().unwrap().starts_with("http://") && request["queryString"].is_array());
        assert!(response["redirectURL"].is_string() && response["statusText"].is_string());
        assert!(response["content"]["size"].is_u64() && response["content"]["mimeType"].is_string());
        let has_data = request["postData"].is_object();
        assert_eq!(has_data, !entry.invoke.body.is_empty());
        assert!(
            !has_data
                || request["postData"]["mimeType"].is_string() && request["postData"]["text"].is_string()
        );
    }
}

#[test]
fn only_what_a_filter_takes_is_kept() {
    let platform = Platform::serving(&[&sample("echo")]);
    let id = started(&platform, &["/echo", "--filter", "operation=echoGet", "--filter", "status<500"]);
    for _ in 0..5 {
        platform.send("POST", "/echo", &[], b"not this one");
    }
    text(&platform, &["capture", "stop", &id]);
    let (_, entries) = read(&text(&platform, &["capture", "export", &id]));
    assert!(!entries.is_empty());
    assert!(entries.iter().all(|entry| entry.activation.operation.as_deref() == Some("echoGet")));
}

#[test]
fn a_capture_from_elsewhere_cannot_drive_the_terminal() {
    let platform = Platform::serving(&[&sample("echo")]);
    let id = started(&platform, &["/echo"]);
    text(&platform, &["capture", "stop", &id[24..]]);
    let file = text(&platform, &["capture", "export", &id[..24]]);
    let forged = file.replacen(r#""base_path":"/echo""#, r#""base_path":"/\u001b]0;x\u0007\u202e""#, 1);
    assert_ne!(file, forged);
    fs::write(platform.folder().join("forged.jsonl"), forged).unwrap();
    let imported = text(&platform, &["capture", "import", "forged.jsonl"]);
    for shown in [imported, text(&platform, &["capture", "list", "-o", "json"])] {
        assert!(shown.contains("]0;x") && !shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown:?}");
    }
}

#[test]
fn what_cannot_be_done_with_a_capture_is_said_in_the_words_of_the_command() {
    let platform = Platform::serving(&[&sample("echo")]);
    for (option, value, reason) in [
        ("--keep", "3d", "48 hours at most"),
        ("--max-bytes", "2GB", "1 GiB at most"),
        ("--sample", "0.1", "no share such as 10%"),
    ] {
        let refused = platform.command(&["capture", "start", "/echo", option, value]);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{told}");
        assert!(told.contains(option) && told.contains(reason), "{told}");
    }
    let id = started(&platform, &["/echo"]);
    let unwritable = platform.command(&["capture", "export", &id, "-o", "nowhere/calls.jsonl"]);
    assert!(String::from_utf8(unwritable.stderr).unwrap().contains("write nowhere/calls.jsonl"));
    text(&platform, &["capture", "stop", &id]);
    let again = platform.command(&["capture", "stop", &id]);
    let told = String::from_utf8(again.stderr).unwrap();
    assert_eq!(told, format!("error: capture {id} is stopped already\n"));
}

#[test]
fn a_level_shows_more_of_one_route_until_it_is_reset() {
    let platform = Platform::serving(&[&sample("echo")]);
    let level = json(&platform, &["log-level", "/echo", "debug", "--for", "1m", "-o", "json"]);
    assert_eq!(level[0]["level"], "debug");
    let lines = |id: &str, level: &str| text(&platform, &["logs", "--request-id", id, "--level", level]);
    let begun = Instant::now();
    let shown = (0..).map(|number| format!("shown-{number}")).find(|id| {
        assert!(begun.elapsed() < PATIENCE, "nothing is logged");
        platform.send("GET", "/echo", &[("x-request-id", id)], b"");
        lines(id, "debug").contains("DEBUG")
    });
    assert_eq!(lines(&shown.unwrap(), "warn"), "");
    assert!(text(&platform, &["logs", "/echo", "--since", "1m", "--level", "debug"]).contains("DEBUG"));
    assert!(text(&platform, &["log-level"]).contains("/echo"));
    text(&platform, &["log-level", "/echo", "--reset"]);
    assert_eq!(json(&platform, &["log-level", "-o", "json"]), serde_json::json!([]));
    assert!(!platform.command(&["log-level", "/echo", "loud"]).status.success());
}
