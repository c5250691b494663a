//! The operator's commands and the admin API.

use std::fs;

use serde_json::Value;

use harness::PATIENCE;

use crate::harness::{Platform, sample};

fn json(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_func_is_built_deployed_called_and_removed() {
    let platform = Platform::serving(&[&sample("hello-rust")]);
    let folder = platform.folder().join("mine");
    text(&platform.command(&["new", "mine", "-t", "js"]));
    assert!(folder.join("funcatron.yaml").exists());
    text(&platform.command(&["validate", "mine"]));
    text(&platform.command(&["deploy", "mine", "--base-path", "/mine"]));

    let routes = json(&platform.command(&["routes", "-o", "json"]));
    let mine = routes.as_array().unwrap().iter().find(|route| route["base_path"] == "/mine").unwrap().clone();
    let operation = mine["operations"][0]["path"].as_str().unwrap().replace("{name}", "ada");
    assert_eq!(platform.get(&format!("/mine{operation}")).status, 200);

    text(&platform.command(&["remove", "/mine"]));
    platform.until(&format!("/mine{operation}"), |reply| reply.status == 404);
    let history = json(&platform.command(&["history", "-o", "json"]));
    assert!(history.as_array().unwrap().len() >= 3, "{history}");
    text(&platform.command(&["rollback"]));
    platform.until(&format!("/mine{operation}"), |reply| reply.status == 200);
}

#[test]
fn logs_are_found_by_request_id() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    let source = platform.func("hello-js").join("index.js");
    let code = fs::read_to_string(&source).unwrap();
    fs::write(&source, format!("console.log('marked line');\n{}", code.replace("Hello", "Marked"))).unwrap();
    platform.saved("hello-js");
    platform.until("/hello/ada", |reply| reply.text().contains("Marked"));
    let reply = platform.send("GET", "/hello/ada", &[("x-request-id", "find-me")], b"");
    assert_eq!(reply.status, 200);
    let begun = std::time::Instant::now();
    loop {
        let logs = text(&platform.command(&["logs", "--request-id", "find-me"]));
        if logs.contains("marked line") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{logs}");
    }
}

#[test]
fn the_admin_api_asks_for_its_token() {
    let platform = Platform::serving(&[&sample("hello-rust")]);
    for headers in [&[][..], &[("authorization", "Bearer wrong")][..]] {
        let reply = platform.send_to(&platform.admin, "GET", "/api/v1/routes", headers, b"");
        reply.problem(401);
        assert!(reply.header("www-authenticate").is_some());
    }
    assert_eq!(platform.admin("GET", "/api/v1/routes", b"").status, 200);
    platform.admin("PATCH", "/api/v1/routes", b"").problem(405);
}

#[test]
fn hostile_uploads_are_refused_with_a_reason() {
    let platform = Platform::serving(&[&sample("hello-rust")]);
    platform.admin("POST", "/api/v1/bundles", b"PK but not a ZIP file").problem(400);
    let before = platform.admin("GET", "/api/v1/bundles", b"").json();
    let good = fs::read(build(&platform, "hello-rust")).unwrap();
    platform.admin("POST", "/api/v1/bundles", &good[..good.len() / 2]).problem(400);
    assert_eq!(platform.admin("GET", "/api/v1/bundles", b"").json(), before);
}

#[test]
fn a_missing_function_is_named_at_upload() {
    let platform = Platform::serving(&[&sample("hello-rust")]);
    let folder = platform.folder().join("lacking");
    fs::create_dir(&folder).unwrap();
    fs::copy(sample("hello-js").join("funcatron.yaml"), folder.join("funcatron.yaml")).unwrap();
    fs::write(folder.join("index.js"), "export const nothing = 1;").unwrap();
    let output = platform.command(&["deploy", "lacking"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let document = fs::read_to_string(folder.join("funcatron.yaml")).unwrap();
    for operation in document.lines().filter_map(|line| line.trim().strip_prefix("operationId: ")) {
        assert!(said.contains(operation), "{operation} is not in {said}");
    }
}

#[test]
fn a_route_that_another_api_holds_is_a_conflict() {
    let platform = Platform::serving(&[&sample("hello-rust")]);
    let folder = platform.folder().join("funcs/hello-rust");
    let other = platform.folder().join("other");
    fs::create_dir(&other).unwrap();
    let document = fs::read_to_string(folder.join("funcatron.yaml")).unwrap();
    fs::write(other.join("funcatron.yaml"), document.replace("title: Hello in Rust", "title: Another"))
        .unwrap();
    fs::copy(folder.join("func.wasm"), other.join("func.wasm")).unwrap();
    let output = platform.command(&["deploy", "other"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Hello in Rust"));
}

fn build(platform: &Platform, name: &str) -> std::path::PathBuf {
    let bundle = platform.folder().join("bundle.zip");
    let folder = platform.func(name);
    text(&platform.command(&["build", folder.to_str().unwrap(), "-o", bundle.to_str().unwrap()]));
    bundle
}
