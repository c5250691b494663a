//! What is saved is live.

use std::fs;

use crate::harness::{Platform, sample};

const DOCUMENT: &str = "
openapi: 3.0.3
info: { title: Answer, version: 1.0.0 }
servers: [{ url: /answer }]
paths:
  /:
    get:
      operationId: getAnswer
      responses: { '200': { description: The answer } }
";

#[test]
fn saved_source_answers_the_next_request() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    let source = platform.func("hello-js").join("index.js");
    let before = fs::read_to_string(&source).unwrap();
    assert!(platform.get("/hello/ada").text().contains("Hello"));
    fs::write(&source, before.replace("Hello", "Ahoy")).unwrap();
    platform.until("/hello/ada", |reply| reply.text().contains("Ahoy"));
}

#[test]
fn a_broken_save_keeps_the_last_good_version() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    let folder = platform.func("hello-js");
    let good = fs::read_to_string(folder.join("index.js")).unwrap();
    fs::write(folder.join("index.js"), "export function (").unwrap();
    // The next good save proves that the broken one was seen and passed over.
    platform.until("/hello/ada", |reply| reply.text().contains("Hello"));
    fs::write(folder.join("index.js"), good.replace("Hello", "Again")).unwrap();
    let reply = platform.until("/hello/ada", |reply| {
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.text().contains("Again")
    });
    assert_eq!(reply.status, 200);
}

#[test]
fn a_saved_document_changes_the_checks() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    let document = platform.func("hello-js").join("funcatron.yaml");
    let before = fs::read_to_string(&document).unwrap();
    assert_eq!(platform.get("/hello/ada").status, 200);
    fs::write(&document, before.replace("url: /hello", "url: /bonjour")).unwrap();
    platform.until("/bonjour/ada", |reply| reply.status == 200);
    platform.until("/hello/ada", |reply| reply.status == 404);
}

#[test]
fn a_new_folder_is_served_and_a_removed_one_is_not() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    let folder = platform.func("answer");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("index.js"), "export function getAnswer() { return { answer: 42 }; }").unwrap();
    fs::write(folder.join("funcatron.yaml"), DOCUMENT).unwrap();
    let reply = platform.until("/answer", |reply| reply.status == 200);
    assert_eq!(reply.json()["answer"], 42);
    fs::remove_dir_all(&folder).unwrap();
    platform.until("/answer", |reply| reply.status == 404);
    assert_eq!(platform.get("/hello/ada").status, 200);
}

#[test]
fn javascript_errors_name_file_and_line() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    let folder = platform.func("answer");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("funcatron.yaml"), DOCUMENT).unwrap();
    fs::write(folder.join("index.js"), "export function getAnswer() {\n  return nothing.there;\n}\n")
        .unwrap();
    let problem = platform.until("/answer", |reply| reply.status == 500);
    assert!(problem.text().contains("index.js:2"), "{}", problem.text());
}

/// They waited in the memory of the process that is gone.
#[test]
fn calls_of_an_earlier_run_are_forgotten() {
    let mut platform = Platform::serving(&[&sample("hello-js")]);
    let reply = platform.send("GET", "/hello/ada", &[("prefer", "respond-async")], b"");
    let location = reply.header("location").unwrap().to_owned();
    assert_eq!(platform.get(&location).status, 200);
    platform.restart();
    assert_eq!(platform.get(&location).status, 404);
}
