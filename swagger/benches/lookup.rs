//! What one request costs: a route in a large table, a path in a large document, a body.
#![allow(
    clippy::unwrap_used,
    clippy::semicolon_if_nothing_returned,
    missing_docs,
    reason = "a benchmark fails by panicking and returns what it measures"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use swagger::{BasePath, Document, HostPattern, Payload, Request, RouteTable};

fn routes(c: &mut Criterion) {
    let table = RouteTable::build((0..10_000).map(|index| {
        let host = HostPattern::parse(&format!("h{}.example.com", index % 100)).unwrap();
        (host, BasePath::parse(&format!("/team{}/api/v{index}", index % 7)).unwrap(), index)
    }))
    .unwrap();
    c.bench_function("route among 10,000", |b| {
        b.iter(|| table.lookup(black_box("h42.example.com:443"), black_box("/team5/api/v5942/pets/1")));
    });
}

fn documents(c: &mut Criterion) {
    let mut paths = serde_json::Map::new();
    for index in 0..1_000 {
        let get = json!({"operationId": format!("get{index}"), "responses": {"200": {"description": "ok"}}});
        paths.insert(format!("/group{}/thing{index}", index % 10), json!({"get": get}));
        let by_id = json!({"operationId": format!("byId{index}"), "parameters":
            [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}]});
        paths.insert(format!("/group{}/thing{index}/{{id}}", index % 10), json!({"get": by_id}));
    }
    let schema = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1},
        "age": {"type": "integer", "format": "int32"}, "tags": {"type": "array", "items": {"type": "string"}},
        "home": {"$ref": "#/components/schemas/Address"}}});
    let address = json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}});
    paths.insert(
        "/people".to_owned(),
        json!({"post": {"operationId": "addPerson",
        "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}}}}),
    );
    let document = json!({"openapi": "3.0.3", "info": {"title": "bench", "version": "1"}, "paths": paths,
        "components": {"schemas": {"Address": address}}});
    let document = Document::parse(document.to_string().as_bytes()).unwrap();

    let plain = Request {
        method: "GET",
        path: "/group2/thing542",
        query: "",
        headers: &[],
        body: Payload::Whole(b""),
    };
    c.bench_function("check of a GET without parameters", |b| {
        b.iter(|| document.check(black_box(&plain)).is_ok())
    });
    let by_id = Request { path: "/group2/thing542/77", ..plain };
    c.bench_function("check of a GET with a path parameter", |b| {
        b.iter(|| document.check(black_box(&by_id)).is_ok())
    });
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let body = Payload::Whole(br#"{"name":"Ada","age":36,"tags":["a","b","c"],"home":{"city":"London"}}"#);
    let post = Request { method: "POST", path: "/people", headers: &headers, body, ..plain };
    assert!(document.check(&post).is_ok());
    c.bench_function("check of a JSON body", |b| b.iter(|| document.check(black_box(&post)).is_ok()));
}

criterion_group!(benches, routes, documents);
criterion_main!(benches);
