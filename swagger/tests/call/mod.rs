//! `Call` is a request to a document under test.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    unreachable_pub,
    missing_docs,
    reason = "a harness for several test files, each of which uses a part"
)]

use serde_json::{Value, json};
use swagger::{Document, Payload, Refusal, Request};

pub fn parse(document: &Value) -> Document {
    Document::parse(document.to_string().as_bytes()).unwrap()
}

pub fn faults(document: &Value) -> Vec<(String, String)> {
    let invalid = Document::parse(document.to_string().as_bytes()).unwrap_err();
    invalid.faults.into_iter().map(|fault| (fault.pointer, fault.reason)).collect()
}

pub struct Call<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

pub fn call<'a>(method: &'a str, path: &'a str) -> Call<'a> {
    Call { method, path, query: "", headers: Vec::new(), body: Vec::new() }
}

impl<'a> Call<'a> {
    pub fn query(mut self, query: &'a str) -> Self {
        self.query = query;
        self
    }
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }
    /// The operation with its path and query parameters.
    pub fn on(&self, document: &Document) -> Result<(String, Value, Value), Refusal> {
        let Call { method, path, query, headers, body } = self;
        let body = Payload::Whole(body);
        let checked = document.check(&Request { method, path, query, headers, body })?;
        Ok((checked.operation.id().to_owned(), checked.path_params.into(), checked.query_params.into()))
    }
    /// Whether it is accepted when `[redacted]` stands for something that was taken out.
    pub fn fits_redacted(&self, document: &Document) -> bool {
        let Call { method, path, query, headers, body } = self;
        let request = Request { method, path, query, headers, body: Payload::Whole(body) };
        document.check_redacted(&request, "[redacted]").is_ok()
    }
    pub fn refused(&self, document: &Document) -> Refusal {
        self.on(document).unwrap_err()
    }
    pub fn pointers(&self, document: &Document) -> Vec<String> {
        let refusal = self.refused(document);
        assert_eq!(refusal.status, 400, "{refusal:?}");
        refusal.faults.iter().map(|fault| format!("{}:{}", fault.location, fault.pointer)).collect()
    }
}

pub fn v3(paths: Value, components: Value) -> Value {
    json!({"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": paths, "components": components})
}

/// A document with one operation that takes this schema as its body, in this version.
pub fn with_body(version: &str, schema: Value, schemas: Value) -> Value {
    json!({"openapi": version, "info": {"title": "T", "version": "1"}, "components": {"schemas": schemas},
        "paths": {"/x": {"post": {"operationId": "x",
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}}}}}})
}

pub fn body_pointers(document: &Document, body: &Value) -> Vec<String> {
    call("POST", "/x").json(body).pointers(document)
}

pub fn body_fits(document: &Document, body: &Value) -> bool {
    match call("POST", "/x").json(body).on(document) {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal.status, 400);
            false
        }
    }
}
