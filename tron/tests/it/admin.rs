//! The admin API over real sockets, held to its own document.

use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use swagger::Document;
use wire::broker::{Message, Topic};
use wire::{Activation, ActivationId, BodySha, Broker, Invoke, LogLine, RequestId};

use crate::harness::{self, Reply, Runner, Stage, TOKEN, document, in_time, zip};
use crate::own_calls;

fn api() -> Document {
    Document::parse(include_bytes!("../../openapi.yaml")).unwrap()
}

/// The response breaks nothing that the document says about this operation.
fn assert_documented(operation: &str, reply: &Reply) {
    let document = api();
    let operation = document.operations().iter().find(|other| other.id() == operation).unwrap();
    let text = String::from_utf8_lossy(&reply.body);
    let checked = operation.check_response(operation.method(), reply.status, &reply.headers, &reply.body);
    assert_eq!(checked, Ok(()), "{text}");
}

fn activation(request_id: &str) -> Bytes {
    let id = RequestId::parse(request_id).unwrap();
    let call = Invoke { id, ..harness::invoke(ActivationId::generate()) };
    let line = LogLine {
        at: call.at,
        at_us: None,
        stream: wire::Stream::Stdout,
        level: wire::Level::Info,
        text: "hello".into(),
    };
    wire::encode_line(&Activation { logs: vec![line], ..harness::activation(&call) }).unwrap()
}

#[tokio::test]
async fn every_operation_answers_as_documented() {
    let stage = Stage::start().await;
    let _runner = Runner::start(&stage.broker, None).await;
    let mut asked = Vec::new();
    let mut ask = async |operation: &'static str, method: &str, path: String, body: Bytes, status: u16| {
        let reply = stage.ask(method, &path, body).await;
        assert_eq!(reply.status, status, "{operation}: {}", String::from_utf8_lossy(&reply.body));
        assert_documented(operation, &reply);
        let guards = ["x-content-type-options", "cache-control"].map(|name| reply.header(name));
        assert_eq!(guards, [Some("nosniff"), Some("no-store")], "{operation}");
        asked.push(operation);
        reply
    };
    let none = Bytes::new;
    let uploaded = ask("uploadBundle", "POST", "/bundles".into(), zip(&document("A", 1)), 201).await;
    let sha = uploaded.json()["sha"].as_str().unwrap().to_owned();
    ask("uploadBundle", "POST", "/bundles".into(), zip(&document("A", 1)), 200).await;
    ask("listBundles", "GET", "/bundles".into(), none(), 200).await;
    ask("getBundle", "GET", format!("/bundles/{sha}"), none(), 200).await;
    let read = ask("getBundleDocument", "GET", format!("/bundles/{sha}/document"), none(), 200).await.json();
    assert_eq!(read["info"]["title"], "A");
    let content = ask("downloadBundle", "GET", format!("/bundles/{sha}/content"), none(), 200).await;
    let object = ask("getBundleObject", "GET", format!("/objects/bundles/{sha}"), none(), 200).await;
    assert_eq!((&content.body, &object.body), (&zip(&document("A", 1)), &content.body));
    let piece = format!("/objects/bodies/{}", BodySha::of(b"7"));
    ask("getBodyObject", "GET", piece.clone(), none(), 404).await;
    ask("putBodyObject", "PUT", piece.clone(), "7".into(), 204).await;
    ask("putBodyObject", "PUT", piece.clone(), "8".into(), 400).await;
    ask("getBodyObject", "GET", piece, none(), 200).await;
    let record = format!("/objects/calls/cancels/{}.json", ActivationId::unguessable());
    ask("getCallRecord", "GET", record.clone(), none(), 404).await;
    ask("putCallRecord", "PUT", record.clone(), none(), 204).await;
    ask("getCallRecord", "GET", record.clone(), none(), 200).await;
    ask("deleteCallRecord", "DELETE", record.clone(), none(), 204).await;
    let pending = record.replace("cancels", "pending");
    ask("putCallRecord", "PUT", pending.clone(), "{}".into(), 400).await;
    ask("deleteCallRecord", "DELETE", pending, none(), 204).await;
    let result = record.replace("cancels", "results");
    ask("putCallRecord", "PUT", result.clone(), "{}".into(), 400).await;
    ask("deleteCallRecord", "DELETE", result, none(), 400).await;

    let deploy = json!({"sha": sha, "props": {"key": "secret value"}}).to_string();
    let deployed = ask("deploy", "POST", "/deployments".into(), deploy.into(), 201).await.json();
    assert_eq!(deployed["ready"], true);
    let route = deployed["route"].as_str().unwrap().to_owned();
    ask("listDeployments", "GET", "/deployments".into(), none(), 200).await;
    let shown = ask("getDeployment", "GET", "/deployments/1".into(), none(), 200).await;
    assert_eq!(shown.json()["routes"][0]["props"], json!({"key": null}));
    ask("listRoutes", "GET", "/routes".into(), none(), 200).await;
    ask("getRoute", "GET", format!("/routes/{route}"), none(), 200).await;
    let (calls, call) =
        (format!("/routes/{route}/calls"), json!({"method": "GET", "path": "/a/x"}).to_string());
    let answering = own_calls::answer_one(&stage.broker, &route, &sha);
    let (called, ()) = tokio::join!(ask("callRoute", "POST", calls.clone(), call.into(), 200), answering);
    assert_eq!(called.json()["answer"]["body"], json!({"text": "hello"}));
    ask("callRoute", "POST", calls.clone(), json!({"method": "GET", "path": "/b"}).to_string().into(), 400)
        .await;
    ask("callRoute", "POST", calls, json!({"method": "GET"}).to_string().into(), 400).await;
    ask("getStats", "GET", "/stats".into(), none(), 200).await;
    ask("listMembers", "GET", "/members".into(), none(), 200).await;
    let level = format!("/levels/{route}");
    ask("setLevel", "PUT", level.clone(), json!({"level": "debug"}).to_string().into(), 200).await;
    ask("listLevels", "GET", "/levels".into(), none(), 200).await;
    ask("resetLevel", "DELETE", level, none(), 204).await;
    ask("deleteBundle", "DELETE", format!("/bundles/{sha}"), none(), 409).await;

    let letters = format!("/dead-letters/{route}");
    let dead = Message { dead_reason: Some("why".into()), ..Message::new("?\n".into()) };
    for _ in 0..2 {
        stage.broker.publish(&format!("dead.{route}"), dead.clone()).await.unwrap();
    }
    let queues = ask("listDeadQueues", "GET", "/dead-letters".into(), none(), 200).await.json();
    assert_eq!((&queues[0]["name"], &queues[0]["route"]["title"]), (&json!(route), &json!("A")));
    let shown = ask("listDeadLetters", "GET", letters.clone(), none(), 200).await.json();
    assert_eq!(shown.as_array().unwrap().len(), 2);
    let id = shown[0]["id"].as_str().unwrap().to_owned();
    let redrive = format!("{letters}/redrive");
    let redriven = ask("redrive", "POST", redrive.clone(), "{}".into(), 200).await.json();
    assert_eq!(redriven, json!({"redriven": 0, "kept": 2, "left": 2}));
    let other = json!({"id": "0".repeat(16)}).to_string();
    ask("redrive", "POST", redrive, other.into(), 404).await;
    ask("purge", "DELETE", format!("{letters}?id={id}"), none(), 200).await;
    ask("purge", "DELETE", letters.clone(), none(), 200).await;
    ask("purge", "DELETE", format!("{letters}?id={id}"), none(), 404).await;
    ask("listDeadLetters", "GET", "/dead-letters/..".into(), none(), 400).await;

    let level = format!("/levels/{route}");
    ask("setLevel", "PUT", level.clone(), r#"{"level":"debug"}"#.into(), 200).await;
    ask("listLevels", "GET", "/levels".into(), none(), 200).await;
    ask("resetLevel", "DELETE", level.clone(), none(), 204).await;
    ask("resetLevel", "DELETE", level, none(), 404).await;
    let captures = || "/captures".to_owned();
    let started =
        json!({"route": route, "sample": 50, "filters": ["status>=500"], "secrets": true}).to_string();
    let started = ask("startCapture", "POST", captures(), started.into(), 201).await.json();
    let capture = format!("/captures/{}", started["capture"]["id"].as_str().unwrap());
    ask("listCaptures", "GET", captures(), none(), 200).await;
    ask("getCapture", "GET", capture.clone(), none(), 200).await;
    ask("stopCapture", "POST", format!("{capture}/stop"), none(), 200).await;
    ask("exportCapture", "GET", format!("{capture}/export"), none(), 200).await;
    ask("removeCapture", "DELETE", capture.clone(), none(), 204).await;
    ask("exportCapture", "GET", format!("{capture}/export"), none(), 404).await;
    ask("importCapture", "POST", "/captures/import".into(), "{}".into(), 415).await;

    ask("undeploy", "DELETE", format!("/routes/{route}"), none(), 200).await;
    ask("undeploy", "DELETE", format!("/routes/{route}"), none(), 404).await;
    ask("rollback", "POST", "/rollback".into(), json!({"to": 1}).to_string().into(), 201).await;
    let other = ask("uploadBundle", "POST", "/bundles".into(), zip(&document("B", 1)), 201).await.json();
    let taken = json!({"sha": other["sha"]}).to_string();
    ask("deploy", "POST", "/deployments".into(), taken.into(), 409).await;
    ask("uploadBundle", "POST", "/bundles".into(), zip("{}"), 422).await;
    ask("deleteBundle", "DELETE", format!("/bundles/{}", other["sha"].as_str().unwrap()), none(), 204).await;

    ask("listActivations", "GET", "/activations?limit=5".into(), none(), 200).await;
    ask("listActivations", "GET", "/activations?limit=5000".into(), none(), 400).await;
    ask("listLogs", "GET", "/logs?request_id=r1&since=1&level=warn".into(), none(), 200).await;
    ask("getHealth", "GET", "/health".into(), none(), 200).await;
    let described = ask("getOpenApi", "GET", "/openapi.json".into(), none(), 200).await;
    assert!(Document::parse(&described.body).is_ok());

    let document = api();
    for operation in document.operations() {
        assert!(asked.contains(&operation.id()), "{} is not tried here", operation.id());
    }
}

#[tokio::test]
async fn nothing_but_health_and_the_document_is_had_without_the_token() {
    let stage = Stage::start().await;
    for operation in api().operations() {
        let path = operation.path().replace("{sha}", &"0".repeat(64)).replace("{id}", &"0".repeat(16));
        let path = path.replace("{number}", "1").replace("{name}", "requests");
        let open = matches!(operation.id(), "getHealth" | "getOpenApi");
        for credentials in ["", "Bearer", "Bearer wrong", "Bearer secrets", "Basic secret", "secret"] {
            let headers = [("authorization", credentials.to_owned())];
            let reply =
                Reply::read(stage.send(operation.method(), &path, &headers, Bytes::new()).await).await;
            assert_eq!(reply.status, if open { 200 } else { 401 }, "{} with {credentials:?}", operation.id());
            assert_eq!(reply.header("www-authenticate"), if open { None } else { Some("Bearer") });
            assert_documented(operation.id(), &reply);
        }
    }
    let reply = Reply::read(stage.send("GET", "/nothing", &[], Bytes::new()).await).await;
    assert_eq!(reply.status, 401, "what there is not is not told either");
}

#[tokio::test]
async fn what_is_not_in_the_document_is_refused_as_problems() {
    let stage = Stage::start().await;
    let refused = async |method: &str, path: &str, body: &str| {
        let reply = stage.ask(method, path, body.to_owned()).await;
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert_eq!(reply.json()["component"], "admin");
        assert_eq!(reply.header("x-request-id"), reply.json()["request_id"].as_str());
        reply
    };
    assert_eq!(refused("GET", "/nothing", "").await.status, 404);
    let reply = refused("PUT", "/bundles", "").await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, POST, HEAD")));
    let reply = refused("POST", "/deployments", r#"{"sha":"x","colour":1}"#).await;
    assert_eq!(reply.status, 400);
    assert!(reply.json()["errors"].as_array().unwrap().len() >= 2, "{}", reply.json());
    assert_eq!(refused("GET", "/bundles/xyz", "").await.status, 400);
    assert_eq!(refused("POST", "/bundles", "no zip").await.status, 400);
    assert_eq!(refused("POST", "/bundles", &"x".repeat(2 * 1024 * 1024)).await.status, 413);
    assert_eq!(refused("POST", "/deployments", &" ".repeat(2 * 1024 * 1024)).await.status, 413);
}

#[tokio::test]
async fn who_follows_sees_each_log_line_as_it_comes() {
    let stage = Stage::start().await;
    // Answered once Tron runs, so it is listening when the first record is sent.
    stage.ask("GET", "/health", Bytes::new()).await;
    let authorization = [("authorization", format!("Bearer {TOKEN}"))];
    let response = stage.send("GET", "/logs?follow=true&request_id=mine", &authorization, Bytes::new()).await;
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let mut body = response.into_body();
    for id in ["other", "mine"] {
        stage.broker.broadcast(Topic::Activations, activation(id)).await.unwrap();
    }
    let line = in_time(body.frame()).await.unwrap().unwrap().into_data().unwrap();
    let entry: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!((&entry["request_id"], &entry["text"]), (&json!("mine"), &json!("hello")));

    for (operation, path) in [("listActivations", "/activations"), ("listLogs", "/logs")] {
        let reply = stage.ask("GET", path, Bytes::new()).await;
        assert_documented(operation, &reply);
        assert_eq!(reply.json().as_array().unwrap().len(), 2);
    }
    stage.stop().await.unwrap();
    let end = in_time(body.frame()).await;
    assert!(end.is_none_or(|frame| frame.is_err()), "a stream ends with tron");
}
