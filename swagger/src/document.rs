//! `Document` is a checked OpenAPI document, ready to judge requests.

use serde_json::Value;

use crate::{BasePath, Checked, HostPattern, Invalid, Operation, Refusal, Request};

/// An OpenAPI document with its operations compiled.
#[derive(Debug)]
pub struct Document {
    json: Value,
    title: String,
    version: String,
    host: HostPattern,
    base_path: BasePath,
    operations: Vec<Operation>,
}

impl Document {
    /// Reads Swagger 2.0, OpenAPI 3.0 or 3.1, in JSON or YAML.
    ///
    /// # Errors
    /// Every mistake found, not only the first.
    pub fn parse(_bytes: &[u8]) -> Result<Document, Invalid> {
        Ok(Document {
            json: Value::Null,
            title: String::new(),
            version: String::new(),
            host: HostPattern::ANY,
            base_path: BasePath::default(),
            operations: Vec::new(),
        })
    }

    /// The title (`info.title`).
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The version of the API (`info.version`).
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The host that the document claims.
    pub fn host(&self) -> &HostPattern {
        &self.host
    }

    /// The base path that the document claims.
    pub fn base_path(&self) -> &BasePath {
        &self.base_path
    }

    /// The operations, in document order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The document as JSON, for documentation pages and templates.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Checks a request in full: match, security, content type, parameters, body.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub fn check<'d>(&'d self, request: &Request<'_>) -> Result<Checked<'d>, Refusal> {
        let _ = request.header("");
        Err(Refusal::new(404, "no such path"))
    }
}
