//! The commands as a person types them: what they print, where, and how they end.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Every kind of answer that a stub must find an example for.
const DOCUMENT: &str = "
openapi: 3.1.0
info: { title: My pets, version: '1' }
servers: [{ url: /pets }]
paths:
  /{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get:
      operationId: get-pet
      responses: { '200': { description: d, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } } }
    delete: { operationId: delete, responses: { '204': { description: d } } }
  /:
    get:
      operationId: listPets
      responses:
        '200':
          description: d
          headers: { X-Count: { required: true, schema: { type: integer } } }
          content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Pet' } } } }
    post:
      operationId: addPet
      responses: { '201': { description: d, content: { text/plain: { schema: { type: string, maxLength: 3 } } } } }
components:
  schemas:
    Pet:
      type: object
      required: [id, born]
      properties:
        id: { type: integer, minimum: 10 }
        born: { type: string, format: date }
        kind: { type: [string, 'null'], enum: [cat, dog, null] }
        parents: { type: array, items: { $ref: '#/components/schemas/Pet' } }
";

fn funcatron(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_funcatron"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CONFIG_HOME", folder)
        .env_remove("FUNCATRON_URL")
        .env_remove("FUNCATRON_TOKEN")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_new_func_is_valid_and_builds() {
    let dir = TempDir::new().unwrap();
    for arguments in
        [&["new", "hello"][..], &["validate", "hello"], &["build", "hello"], &["validate", "hello.zip"]]
    {
        let output = funcatron(dir.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn stubs_of_a_document_are_valid_and_within_it() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("api.yaml"), DOCUMENT).unwrap();
    for arguments in [&["new", "--from", "api.yaml"][..], &["validate", "my-pets"]] {
        let output = funcatron(dir.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    }
    let source = fs::read_to_string(dir.path().join("my-pets/index.js")).unwrap();
    assert!(!source.contains("will not take"), "{source}");
}

#[test]
fn every_fault_is_named_and_the_exit_code_is_1() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("bad.yaml"), "openapi: 3.0.3\ninfo: { title: T }\npaths: { a: {} }\n").unwrap();
    let output = funcatron(dir.path(), &["validate", "bad.yaml"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let said = said(&output);
    assert!(said.contains("bad.yaml: 2 faults"), "{said}");
    assert!(said.contains("/info/version: ") && said.contains("/paths/a: "), "{said}");
}

#[test]
fn what_is_typed_wrong_ends_with_2() {
    let dir = TempDir::new().unwrap();
    assert_eq!(funcatron(dir.path(), &["deply"]).status.code(), Some(2));
}

#[test]
fn a_server_that_is_not_there_is_named_with_what_to_do() {
    let dir = TempDir::new().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = funcatron(dir.path(), &["routes", "--url", &format!("http://{nobody}")]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains(&nobody.to_string()) && said.contains("funcatron dev"), "{said}");
}

#[test]
fn a_rust_func_that_was_not_built_says_so() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("api.yaml"), DOCUMENT).unwrap();
    assert!(funcatron(dir.path(), &["new", "pets", "-t", "rust", "--from", "api.yaml"]).status.success());
    let output = funcatron(dir.path(), &["validate", "pets"]);
    assert!(said(&output).contains("run `funcatron build pets` first"), "{}", said(&output));
}
