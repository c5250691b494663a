//! Bundles on trial: found out by copies of calls or by their own, and taken off the route.

use std::fs;
use std::time::Instant;

use harness::PATIENCE;
use serde_json::Value;

use crate::harness::{Platform, sample};

const DOCUMENT: &str = r#"openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /{id}:
    get:
      operationId: getOrder
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses:
        "200":
          description: an order
          content:
            application/json:
              schema:
                type: object
                properties:
                  id: {type: integer}
                  total: {type: integer}
                  at: {type: string, format: date-time}
                  receipt: {type: string, format: uuid}
"#;

/// Answers are never the same: they have the time and something random in them.
pub(crate) const TRUSTED: &str = r"
export function getOrder({ params: { id } }) {
  return { id, total: id * 2, at: new Date().toISOString(), receipt: crypto.randomUUID() };
}";
/// Draws more than the one before, and comes to the same.
const AS_GOOD: &str = r"
export function getOrder({ params: { id } }) {
  const [receipt, began] = [crypto.randomUUID(), Date.now() + 1000];
  return { id, total: id + id, at: new Date(began).toISOString(), receipt: crypto.randomUUID() ?? receipt };
}";
/// Is wrong about 3 of 100.
pub(crate) const WRONG: &str = r"
export function getOrder({ params: { id } }) {
  const total = [7, 42, 99].includes(id % 100) ? id * 2 + 1 : id * 2;
  return { id, total, at: new Date().toISOString(), receipt: crypto.randomUUID() };
}";
const FAILING: &str = "export function getOrder() { throw new Error('it does not work'); }";

/// A platform whose orders are answered by a trusted bundle.
fn platform() -> Platform {
    let platform = Platform::serving(&[&sample("hello-js")]);
    deploy(&platform, "trusted", TRUSTED, &[]);
    platform.until("/orders/1", |reply| reply.status == 200);
    platform
}

fn write(platform: &Platform, name: &str, source: &str) {
    let folder = platform.folder().join(name);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("funcatron.yaml"), DOCUMENT).unwrap();
    fs::write(folder.join("index.js"), source).unwrap();
}

pub(crate) fn deploy(platform: &Platform, name: &str, source: &str, arguments: &[&str]) -> String {
    write(platform, name, source);
    run(platform, &[&["deploy", name, "--base-path", "/orders"], arguments].concat())
}

fn run(platform: &Platform, arguments: &[&str]) -> String {
    let output = platform.command(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn orders(platform: &Platform) -> Value {
    let routes: Value = serde_json::from_str(&run(platform, &["routes", "-o", "json"])).unwrap();
    routes.as_array().unwrap().iter().find(|route| route["base_path"] == "/orders").unwrap().clone()
}

/// The newest change of the desired state: who made it, and what it was.
fn last_change(platform: &Platform) -> (String, String) {
    let history: Value = serde_json::from_str(&run(platform, &["history", "-o", "json"])).unwrap();
    let text = |member: &str| history[0][member].as_str().unwrap().to_owned();
    (text("by"), text("action"))
}

/// Asks for orders, and holds each answer to `is_good`, until the bundle on trial is gone.
fn ask_until_gone(platform: &Platform, is_good: impl Fn(u64, &harness::Reply) -> bool) {
    let begun = Instant::now();
    for id in 0.. {
        let reply = platform.get(&format!("/orders/{id}"));
        assert!(is_good(id, &reply), "{id}: {} {}", reply.status, reply.text());
        if id % 50 == 0 && orders(platform)["bundles"].as_array().unwrap().len() == 1 {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", orders(platform));
    }
}

fn is_right(id: u64, reply: &harness::Reply) -> bool {
    reply.status == 200 && reply.json()["total"] == id * 2
}

#[test]
fn a_bundle_that_answers_some_calls_otherwise_is_found_by_copies_and_no_client_notices() {
    let platform = platform();
    deploy(&platform, "wrong", WRONG, &["--mirror", "100%"]);
    ask_until_gone(&platform, is_right);
    let (by, action) = last_change(&platform);
    assert_eq!(by, "trial");
    assert!(action.contains("copies were answered otherwise"), "{action}");
    let records = platform.admin("GET", "/api/v1/activations?limit=1000", b"").json();
    let differing = records.as_array().unwrap().iter().filter(|record| record.get("difference").is_some());
    for record in differing {
        let id: u64 = record["path"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
        assert!([7, 42, 99].contains(&(id % 100)), "{record}");
        assert!(record["difference"].as_str().unwrap().contains("total"), "{record}");
    }
    assert_eq!(orders(&platform)["bundles"][0]["weight"], 100);
}

#[test]
fn a_bundle_that_is_as_good_stays_whatever_time_and_chance_say() {
    let platform = platform();
    deploy(&platform, "good", AS_GOOD, &["--mirror", "100%"]);
    let begun = Instant::now();
    let mut id = 0;
    loop {
        (0..50).for_each(|_| {
            id += 1;
            assert!(is_right(id, &platform.get(&format!("/orders/{id}"))));
        });
        let orders = orders(&platform);
        assert_eq!(orders["bundles"].as_array().unwrap().len(), 2, "{:?}", last_change(&platform));
        let trial = &orders["trials"][0];
        assert_eq!((&trial["different"], &trial["calls"]), (&Value::from(0), &Value::from(0)));
        if trial["compared"].as_u64().unwrap() > 100 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{orders}");
    }
    assert!(run(&platform, &["routes"]).contains("on trial"));
    assert!(run(&platform, &["describe", "/orders"]).contains("0 of "));
    assert!(run(&platform, &["top", "--once"]).contains("on trial: /orders"));
    // What has proved itself is deployed as any other.
    run(&platform, &["deploy", "good", "--base-path", "/orders"]);
    assert_eq!(orders(&platform)["bundles"].as_array().unwrap().len(), 1);
}

#[test]
fn a_canary_that_answers_otherwise_goes_and_none_of_its_calls_fails() {
    let platform = platform();
    deploy(&platform, "wrong", WRONG, &["--canary", "20%"]);
    ask_until_gone(&platform, |id, reply| {
        let mistaken = [7, 42, 99].contains(&(id % 100)) && reply.json()["total"] == id * 2 + 1;
        mistaken || is_right(id, reply)
    });
    assert_eq!(last_change(&platform).0, "trial");
}

#[test]
fn a_canary_that_fails_goes_and_others_answer_as_before() {
    let platform = platform();
    deploy(&platform, "failing", FAILING, &["--canary", "20%", "--max-diff", "100%", "--min-calls", "5"]);
    ask_until_gone(&platform, |id, reply| reply.status == 500 || is_right(id, reply));
    let (by, action) = last_change(&platform);
    assert!(by == "trial" && action.contains("calls failed, 1% may"), "{action}");
    (0..20).for_each(|id| assert!(is_right(id, &platform.get(&format!("/orders/{id}")))));
}

#[test]
fn every_call_from_the_first_on_is_copied_and_counted() {
    let platform = platform();
    let said = deploy(&platform, "good", AS_GOOD, &["--mirror", "100%"]);
    assert!(said.contains("serves /orders"), "{said}");
    (0..8).for_each(|id| assert!(is_right(id, &platform.get(&format!("/orders/{id}")))));
    let begun = Instant::now();
    while orders(&platform)["trials"][0]["compared"] != 8 {
        assert!(begun.elapsed() < PATIENCE, "{}", orders(&platform));
    }
    let again = run(&platform, &["deploy", "good", "--base-path", "/orders", "--mirror", "100%"]);
    assert!(again.contains("nothing changed"), "{again}");
    assert_eq!(orders(&platform)["trials"][0]["compared"], 8, "it is the same trial");
}

/// What it says of why it refuses.
fn refused(platform: &Platform, name: &str, arguments: &[&str]) -> String {
    write(platform, name, AS_GOOD);
    let output = platform.command(&[&["deploy", name, "--base-path", "/orders"], arguments].concat());
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_trial_beside_nothing_is_refused() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    let said = refused(&platform, "alone", &["--mirror", "10%"]);
    assert!(said.contains("no other bundle that is trusted"), "{said}");
}

#[test]
fn a_trial_brings_no_settings_of_its_own() {
    let platform = platform();
    let before = orders(&platform);
    for (name, arguments) in [
        ("props", ["--canary", "10%", "-p", "db=new"]),
        ("hosts", ["--mirror", "10%", "--outbound", "a.example"]),
    ] {
        let said = refused(&platform, name, &arguments);
        assert!(said.contains("deploy without a trial to change them"), "{said}");
    }
    assert_eq!(orders(&platform), before);
}
