//! Calls of well-behaved Funcs, through the queues that everybody else uses.

use serde_json::json;
use wire::{Body, Timestamp};

use crate::harness::{Deployment, invoke, json, start, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_invoke_is_answered_by_its_func() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    let answer = harness.get("/api/").await;
    assert_eq!((answer.status, json(&answer)), (200, json!({"message": "hello"})));
    let activation = harness.activation().await;
    assert_eq!((activation.status, activation.operation.as_deref()), (200, Some("getHello")));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_answered_by_what_answers_get() {
    for folder in ["funcs/hello-rust", "funcs/hello-js"] {
        let mut harness = start(Deployment::of(folder)).await;
        let path = if folder == "funcs/hello-rust" { "/api/" } else { "/api/ada" };
        let answer = harness.call(invoke("HEAD", path)).await;
        assert_eq!(answer.status, 200, "{folder}: {}", text(&answer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_delivery_gets_its_answer() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    let invokes: Vec<_> = (0..20).map(|_| invoke("GET", "/api/")).collect();
    harness.send(&invokes).await;
    let mut answered = Vec::new();
    for _ in &invokes {
        answered.push(harness.answer().await.activation);
    }
    answered.sort();
    let mut asked: Vec<_> = invokes.iter().map(|invoke| invoke.activation).collect();
    asked.sort();
    assert_eq!(answered, asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_document_refuses_does_not_reach_the_func() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    let answer = harness.get("/api/nowhere").await;
    assert_eq!((answer.status, json(&answer)["component"].clone()), (404, json!("runner")));
    assert_eq!(harness.get("/elsewhere").await.status, 404);
    let answer = harness.call(invoke("DELETE", "/api/")).await;
    assert_eq!(answer.status, 405);
    assert!(answer.headers.iter().any(|(name, value)| name == "allow" && value.contains("GET")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_deadline_passed_in_the_queue_is_not_run() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    let mut late = invoke("GET", "/api/");
    late.deadline = Timestamp(late.at.0 - 1);
    // The answer to it is of no use either, and expires.
    late.reply_to = None;
    harness.send(&[late]).await;
    let activation = harness.activation().await;
    assert_eq!((activation.status, activation.operation), (504, None));
    assert!(activation.error.unwrap().contains("waited in func."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_reply_to_runs_all_the_same() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    let mut silent = invoke("GET", "/api/");
    silent.reply_to = None;
    harness.send(&[silent]).await;
    assert_eq!(harness.activation().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_sees_the_request_the_props_and_the_log() {
    let document = r#"
openapi: 3.0.3
info: { title: t, version: "1" }
paths:
  /pets/{pet}:
    post:
      operationId: addPet
      parameters:
        - { name: pet, in: path, required: true, schema: { type: string } }
        - { name: limit, in: query, schema: { type: integer, default: 5 } }
      requestBody: { content: { application/json: { schema: {} } } }
      responses: { "200": { description: ok } }
"#;
    let source = "export function addPet({ id, params, query, props, body }) {
        console.log('adding', params.pet); console.error('careful');
        return { id, pet: params.pet, limit: query.limit, colour: props.colour, body };
    }";
    let mut deployment = Deployment::javascript(document, source);
    deployment.props = json!({"colour": "red"});
    let mut harness = start(deployment).await;
    let mut post = invoke("POST", "/api/pets/caf%C3%A9?limit=7");
    post.body = Body::from(r#"{"a":"ü"}"#);
    post.headers = vec![("content-type".into(), "application/json".into())];
    let id = post.id.to_string();
    let answer = harness.call(post).await;
    assert_eq!(
        (answer.status, json(&answer)),
        (200, json!({"id": id, "pet": "café", "limit": 7, "colour": "red", "body": {"a": "ü"}})),
    );
    let logs = harness.activation().await.logs;
    let lines: Vec<_> = logs.iter().map(|line| format!("{:?} {}", line.stream, line.text)).collect();
    assert_eq!(lines, ["Stdout adding café", "Stderr careful"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_func_is_told_which_attempt_it_is() {
    let document = r#"
openapi: 3.0.3
info: { title: t, version: "1" }
paths: { /: { get: { operationId: attempt, responses: { "200": { description: ok } } } } }
"#;
    let source = "export const attempt = ({ headers }) => headers['x-funcatron-attempt'];";
    let mut harness = start(Deployment::javascript(document, source)).await;
    let mut again = invoke("GET", "/api/");
    again.attempt = 2;
    again.headers.push(("x-funcatron-attempt".into(), "9".into()));
    assert_eq!(text(&harness.call(again).await), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_the_document_is_a_bad_gateway() {
    let document =
        std::fs::read_to_string(crate::harness::root().join("funcs/hello-rust/funcatron.yaml")).unwrap();
    let source = "export function getHello() { return { message: 'goodbye' }; }";
    let mut harness = start(Deployment::javascript(&document, source)).await;
    let answer = harness.get("/api/").await;
    assert_eq!(
        (answer.status, json(&answer)["type"].clone()),
        (502, json!("urn:funcatron:problem:invalid-response"))
    );
    assert_eq!(json(&answer)["errors"][0]["pointer"], "/message", "{}", text(&answer));
}
