//! `Document` is a checked OpenAPI document, ready to judge requests.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    BasePath, Checked, Fault, HostPattern, Invalid, Location, Operation, Refusal, Request,
    node::Node,
    operations::Operations,
    reader::{Reader, Version},
    secrets::{self, Secrets},
    security::ApiKey,
    source,
};

/// An OpenAPI document with its operations compiled.
#[derive(Debug)]
pub struct Document {
    json: Value,
    title: String,
    version: String,
    host: HostPattern,
    base_path: BasePath,
    placement: BTreeMap<String, String>,
    operations: Operations,
    api_keys: Vec<ApiKey>,
}

impl Document {
    /// Reads Swagger 2.0, OpenAPI 3.0 or 3.1, in JSON or YAML.
    ///
    /// # Errors
    /// Every mistake found, not only the first.
    pub fn parse(bytes: &[u8]) -> Result<Document, Invalid> {
        let json = source::read(bytes).map_err(|reason| invalid("", reason))?;
        let version = dialect(&json)?;
        let mut reader = Reader::new(&json, version);
        let title = reader.info("title");
        let api_version = reader.info("version");
        let (host, base_path) = reader.served_at();
        let placement = reader.placement();
        let operations = reader.operations(&title);
        let api_keys = reader.api_keys();
        reader.finish_schemas();
        reader.finish_secrets();
        let faults = reader.into_faults();
        if !faults.is_empty() {
            return Err(Invalid { faults });
        }
        Ok(Document { json, title, version: api_version, host, base_path, placement, operations, api_keys })
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

    /// The labels that the document asks of whoever runs it (`x-funcatron-placement`).
    pub fn placement(&self) -> &BTreeMap<String, String> {
        &self.placement
    }

    /// The operations, in document order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations.all
    }

    /// The operation that a request of this method and path is for, whatever else is in it. `HEAD` is
    /// answered by a documented `GET`.
    pub fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        self.of_request(self.operations.paths.find(path)?.path, method)
    }

    /// Whether this header carries an API key, by any security scheme of the document.
    pub fn is_api_key_header(&self, name: &str) -> bool {
        self.api_keys.iter().any(|key| matches!(key, ApiKey::Header(own) if own.eq_ignore_ascii_case(name)))
    }

    /// Where the secrets are in a query: API keys, by any security scheme of the document, and what its operation
    /// marks, if it has one; and members of that name.
    pub fn query_secrets(
        &self,
        operation: Option<&Operation>,
        query: &str,
        is_secret: impl Fn(&str) -> bool,
    ) -> Secrets {
        let is_api_key =
            |name: &str| self.api_keys.iter().any(|key| matches!(key, ApiKey::Query(own) if own == name));
        secrets::of_query(query, |name| {
            is_api_key(name)
                || is_secret(name)
                || operation.is_some_and(|operation| operation.is_secret_query(name))
        })
    }

    /// The document as JSON, for documentation pages and templates.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Checks a request in full: match, security, content type, then parameters and body together.
    ///
    /// A body that the operation does not document is tolerated.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub fn check<'d>(&'d self, request: &Request<'_>) -> Result<Checked<'d>, Refusal> {
        self.check_but_for(request, None)
    }

    /// The same for a request out of which something was taken: wherever `mark` stands, whatever stood there
    /// was fit, and credentials were the right ones.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub fn check_redacted<'d>(&'d self, request: &Request<'_>, mark: &str) -> Result<Checked<'d>, Refusal> {
        self.check_but_for(request, Some(mark))
    }

    fn check_but_for<'d>(
        &'d self,
        request: &Request<'_>,
        mark: Option<&str>,
    ) -> Result<Checked<'d>, Refusal> {
        let Some(found) = self.operations.paths.find(request.path) else {
            return Err(Refusal::new(404, "no operation has this path"));
        };
        match self.of_request(found.path, request.method) {
            Some(operation) => operation.check(request, &found.captures, mark),
            None => Err(self.not_allowed(found.path)),
        }
    }

    fn path_operations(&self, path: usize) -> impl Iterator<Item = &Operation> {
        let indexes = self.operations.by_path.get(path).into_iter().flatten();
        indexes.filter_map(|index| self.operations.all.get(*index))
    }

    fn of_request(&self, path: usize, method: &str) -> Option<&Operation> {
        self.of_path(path, method).or_else(|| match method {
            "HEAD" => self.of_path(path, "GET"),
            _ => None,
        })
    }

    fn of_path(&self, path: usize, method: &str) -> Option<&Operation> {
        self.path_operations(path).find(|operation| operation.method() == method)
    }

    fn not_allowed(&self, path: usize) -> Refusal {
        let mut allow: Vec<String> =
            self.path_operations(path).map(|operation| operation.method().to_owned()).collect();
        if allow.iter().any(|method| method == "GET") && !allow.iter().any(|method| method == "HEAD") {
            allow.push("HEAD".to_owned());
        }
        Refusal { allow, ..Refusal::new(405, "no operation of this path has this method") }
    }
}

fn invalid(pointer: &str, reason: impl Into<String>) -> Invalid {
    Invalid { faults: vec![Fault::new(Location::Document, pointer, reason)] }
}

fn dialect(json: &Value) -> Result<Version, Invalid> {
    // YAML reads an unquoted 2.0 as a number.
    let text = |key: &str| match json.get(key) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    if !json.is_object() {
        return Err(invalid("", "the document is not an object"));
    }
    match (text("swagger"), text("openapi")) {
        (Some(version), None) if version == "2.0" => Ok(Version::V2),
        (None, Some(version)) if is_release(&version, "3.0") => Ok(Version::V30),
        (None, Some(version)) if is_release(&version, "3.1") => Ok(Version::V31),
        (Some(version), None) => Err(invalid("/swagger", format!("version {version:?} is not 2.0"))),
        (None, Some(version)) => {
            Err(invalid("/openapi", format!("version {version:?} is neither 3.0 nor 3.1")))
        }
        (Some(_), Some(_)) => Err(invalid("", "the document says both swagger and openapi")),
        (None, None) => Err(invalid("", "the document says neither swagger nor openapi")),
    }
}

fn is_release(version: &str, line: &str) -> bool {
    version
        .strip_prefix(line)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('-'))
}

impl Reader<'_> {
    /// A required text of `info`; YAML may have read a version as a number.
    fn info(&mut self, key: &str) -> String {
        let node = Node::root(self.root).child("info").and_then(|info| info.child(key));
        match node.as_ref().map(|node| node.value) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => {
                self.fault(format!("/info/{key}"), format!("the document has no {key}"));
                String::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_is_shared_between_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Document>();
    }
}
