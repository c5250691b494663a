//! Reads the paths of a document into operations and the tree that finds them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    Operation,
    node::{Node, join},
    operation::Parameters,
    parameters::Declared,
    paths::Paths,
    reader::Reader,
    security::Security,
    template::Template,
};

/// Paths of one document; Microsoft Graph, the largest known, has some 10,000.
const PATHS_MAX: usize = 20_000;
/// An operationId travels in a header and in logs.
const ID_BYTES_MAX: usize = 255;

/// The methods that a path can document, as keys and as methods.
const METHODS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("trace", "TRACE"),
];

/// The operations of a document and how a request finds them.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    pub(crate) all: Vec<Operation>,
    pub(crate) paths: Paths,
    /// The operations of each path, as indexes into `all`.
    pub(crate) by_path: Vec<Vec<usize>>,
}

impl<'v> Reader<'v> {
    /// Reads every operation and reports what clashes.
    pub(crate) fn operations(&mut self, title: &str) -> Operations {
        let mut operations = Operations::default();
        let root = Node::root(self.root);
        let Some(paths) = root.child("paths").filter(|paths| paths.value.is_object()) else {
            self.fault("/paths", "the document has no paths");
            return operations;
        };
        let security = Arc::new(self.security(&root, title).unwrap_or_default());
        let mut templates: Vec<&str> = Vec::new();
        for (path, node) in paths.members().filter(|(path, _)| !path.starts_with("x-")) {
            if self.is_hopeless() {
                break;
            }
            if templates.len() == PATHS_MAX {
                self.fault("/paths", format!("more than {PATHS_MAX} paths"));
                break;
            }
            let Some(template) = self.template(path, &node, &templates, &mut operations.paths) else {
                continue;
            };
            templates.push(path);
            let Some(item) = self.follow(node) else { continue };
            let first = operations.all.len();
            self.path_item(path, &template, &item, title, &security, &mut operations.all);
            operations.by_path.push((first..operations.all.len()).collect());
        }
        self.check_ids(&operations.all);
        operations
    }

    fn template(
        &mut self,
        path: &str,
        node: &Node<'v>,
        known: &[&str],
        paths: &mut Paths,
    ) -> Option<Template> {
        let template = match Template::parse(path) {
            Ok(template) => template,
            Err(reason) => {
                self.fault(node.pointer.as_str(), reason);
                return None;
            }
        };
        match paths.insert(&template, known.len()) {
            Ok(()) => Some(template),
            Err(other) => {
                let other = known.get(other).copied().unwrap_or_default();
                self.fault(node.pointer.as_str(), format!("matches the same requests as {other}"));
                None
            }
        }
    }

    fn path_item(
        &mut self,
        path: &str,
        template: &Template,
        item: &Node<'v>,
        title: &str,
        security: &Arc<Security>,
        all: &mut Vec<Operation>,
    ) {
        for (key, method) in METHODS {
            let Some(node) = item.child(key) else { continue };
            let declared = self.declared(item, &node);
            let parameters = self.parameters(template, &node, &declared);
            let operation = Operation {
                id: self.operation_id(&node, method, path),
                method,
                path: path.to_owned(),
                summary: node.text("summary").map(str::to_owned),
                timeout: self.timeout(&node),
                retries: self.retries(&node),
                idempotent: is_idempotent(method) || node.flag("x-funcatron-idempotent") == Some(true),
                security: self.security(&node, title).map_or_else(|| Arc::clone(security), Arc::new),
                body: self.body(&node, &declared),
                responses: self.responses(&node),
                parameters,
            };
            all.push(operation);
        }
    }

    fn parameters(
        &mut self,
        template: &Template,
        operation: &Node<'v>,
        declared: &[Declared<'v>],
    ) -> Parameters {
        let mut parameters = Parameters::default();
        for name in &template.names {
            match declared.iter().find(|one| one.place == "path" && one.name == name) {
                Some(one) => parameters.path.extend(self.parameter(one)),
                None => {
                    let reason = format!("the path parameter {name:?} is not declared");
                    self.fault(operation.pointer.as_str(), reason);
                }
            }
        }
        for one in declared {
            match one.place {
                "path" if template.names.iter().any(|name| name == one.name) => {}
                "path" => {
                    let reason = format!("the path parameter {:?} does not stand in the path", one.name);
                    self.fault(one.node.pointer.as_str(), reason);
                }
                "query" => parameters.query.extend(self.parameter(one)),
                "header" => parameters.header.extend(self.parameter(one)),
                // Bodies and forms of Swagger 2.0 are read with the body.
                "body" | "formData" if self.version == crate::reader::Version::V2 => {}
                _ => parameters.cookie.extend(self.parameter(one)),
            }
        }
        parameters
    }

    fn operation_id(&mut self, node: &Node<'v>, method: &str, path: &str) -> String {
        let id = node.text("operationId").unwrap_or_default();
        if id.is_empty() {
            self.fault(node.pointer.as_str(), format!("{method} {path} has no operationId"));
        } else if id.len() > ID_BYTES_MAX || id.contains(char::is_control) {
            let reason = format!("the operationId of {method} {path} is too long or has control characters");
            self.fault(join(&node.pointer, "operationId"), reason);
        }
        id.to_owned()
    }

    fn check_ids(&mut self, operations: &[Operation]) {
        let mut seen: HashMap<&str, &Operation> = HashMap::new();
        for operation in operations.iter().filter(|operation| !operation.id.is_empty()) {
            let Some(first) = seen.insert(&operation.id, operation) else { continue };
            let pointer = join(&join("/paths", &operation.path), &operation.method.to_ascii_lowercase());
            let reason = format!(
                "the operationId {:?} names both {} {} and {} {}",
                operation.id, first.method, first.path, operation.method, operation.path
            );
            self.fault(pointer, reason);
        }
    }

    /// `x-funcatron-timeout`: `"5s"`, `"500ms"`, `"2m"` or a number of seconds.
    fn timeout(&mut self, node: &Node<'v>) -> Option<Duration> {
        let written = node.child("x-funcatron-timeout")?;
        let timeout = read_duration(written.value);
        if timeout.is_none() {
            self.fault(
                written.pointer,
                "a timeout is written \"5s\", \"500ms\" or as a number of seconds above zero",
            );
        }
        timeout
    }
}

fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS" | "TRACE")
}

/// A time above zero: with its unit, or as a number of seconds.
pub(crate) fn read_duration(written: &Value) -> Option<Duration> {
    let duration = match written {
        Value::String(text) => parse_duration(text),
        other => other.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    };
    duration.filter(|duration| !duration.is_zero())
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit_seconds = match text.strip_prefix(digits)? {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    let amount: f64 = digits.trim().parse().ok()?;
    Duration::try_from_secs_f64(amount * unit_seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_unit() {
        assert_eq!(parse_duration("5s"), Some(Duration::from_secs(5)));
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("1.5m"), Some(Duration::from_secs(90)));
        for text in ["", "s", "5h", "-1s", "1e400s", "five", "5 s s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
