//! `Part` is one part of a body or a header, with what the document says about it.

use serde_json::Value;

use crate::{Document, Operation, node, response, schema::Schema};

/// Schemas looked at for one part; where references and alternatives lead to more, the rest says nothing.
const SCHEMAS_MAX: usize = 64;

/// One part of a body, or a header, with what the document says about it: the schema there, what it
/// refers to, and all of its alternatives.
#[derive(Clone, Debug)]
pub struct Part<'d> {
    root: &'d Value,
    schemas: Vec<&'d Value>,
}

impl<'d> Part<'d> {
    /// What `begin` leads to through references and alternatives.
    fn of(root: &'d Value, begin: impl Iterator<Item = &'d Value>) -> Self {
        let mut open: Vec<&'d Value> = begin.collect();
        let mut schemas: Vec<&'d Value> = Vec::new();
        while let Some(schema) = open.pop() {
            let is_known = schemas.iter().any(|known| std::ptr::eq(*known, schema));
            if is_known || !schema.is_object() {
                continue;
            }
            if schemas.len() == SCHEMAS_MAX {
                break;
            }
            schemas.push(schema);
            open.extend(applied(root, schema));
        }
        Self { root, schemas }
    }

    /// The member of this name, if this part is an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        let schemas = self.schemas.iter().filter_map(|schema| {
            let own = schema.get("properties").and_then(|properties| properties.get(name));
            own.or_else(|| schema.get("additionalProperties"))
        });
        Self::of(self.root, schemas)
    }

    /// The item at this place, if this part is an array.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        let schemas = self.schemas.iter().filter_map(|schema| {
            let own = schema.get("prefixItems").and_then(|items| items.get(index));
            own.or_else(|| schema.get("items"))
        });
        Self::of(self.root, schemas)
    }

    /// Whether the document says this of it, such as `readOnly: true`.
    pub fn is(&self, keyword: &str) -> bool {
        self.schemas.iter().any(|schema| schema.get(keyword) == Some(&Value::Bool(true)))
    }

    /// The formats that are named for it.
    pub fn formats(&self) -> impl Iterator<Item = &'d str> {
        self.schemas.iter().filter_map(|schema| schema.get("format")?.as_str())
    }
}

/// What a schema has its value fit as well.
fn applied<'d>(root: &'d Value, schema: &'d Value) -> Vec<&'d Value> {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let target = reference.and_then(|reference| node::resolve(root, reference).ok());
    let lists = ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|name| schema.get(name)?.as_array());
    let branches = ["then", "else"].into_iter().filter_map(|name| schema.get(name));
    target.map(|target| target.value).into_iter().chain(lists.flatten()).chain(branches).collect()
}

impl Document {
    /// The body of an answer with this status and content type. An answer that is not documented is a part of which
    /// nothing is said.
    pub fn response_body(&self, operation: &Operation, status: u16, content_type: &str) -> Part<'_> {
        let response = response::pick(&operation.responses, status);
        let media = response.and_then(|response| response.content.pick(content_type));
        self.part(media.and_then(|media| media.schema.as_ref()))
    }

    /// The headers that are documented for answers with this status.
    pub fn response_headers<'d>(
        &'d self,
        operation: &'d Operation,
        status: u16,
    ) -> impl Iterator<Item = (&'d str, Part<'d>)> {
        let response = response::pick(&operation.responses, status);
        let headers = response.into_iter().flat_map(|response| &response.headers);
        headers.map(|header| (header.name.as_str(), self.part(header.schema.as_ref())))
    }

    /// The body of a request with this content type.
    pub fn request_body(&self, operation: &Operation, content_type: &str) -> Part<'_> {
        let media = operation.body.as_ref().and_then(|body| body.content.pick(content_type));
        self.part(media.and_then(|media| media.schema.as_ref()))
    }

    fn part(&self, schema: Option<&Schema>) -> Part<'_> {
        let root = self.json();
        Part::of(root, schema.and_then(|schema| root.pointer(schema.pointer())).into_iter())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(schema: &Value, schemas: &Value) -> Document {
        let content = json!({"application/json": {"schema": schema}});
        let json = json!({
            "openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "components": {"schemas": schemas},
            "paths": {"/x": {"get": {"operationId": "x", "responses": {"2XX": {"description": "",
                "headers": {"X-At": {"schema": {"type": "string", "format": "date-time"}}},
                "content": content}}}}}
        });
        Document::parse(json.to_string().as_bytes()).unwrap()
    }

    fn body(document: &Document) -> Part<'_> {
        document.response_body(&document.operations()[0], 200, "application/json; charset=utf-8")
    }

    #[test]
    fn a_part_is_seen_through_references_alternatives_and_lists() {
        let schemas = json!({
            "Id": {"type": "string", "format": "uuid"},
            "Base": {"properties": {"id": {"$ref": "#/components/schemas/Id", "readOnly": true}}},
            "Cat": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {
                "lives": {"additionalProperties": {"type": "integer", "x-funcatron-volatile": true}}}}]},
            "Tree": {"properties": {"next": {"$ref": "#/components/schemas/Tree"}, "at": {"type": "string", "format": "date"}}}
        });
        let schema = json!({"type": "array", "prefixItems": [{"type": "integer", "format": "int32"}],
            "items": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Tree"}]}});
        let document = document(&schema, &schemas);
        let (first, other) = (body(&document).item(0), body(&document).item(7));
        assert_eq!(first.formats().collect::<Vec<_>>(), ["int32"]);
        assert_eq!(other.member("id").formats().collect::<Vec<_>>(), ["uuid"]);
        assert!(other.member("id").is("readOnly") && !other.member("lives").is("readOnly"));
        assert!(other.member("lives").member("ninth").is("x-funcatron-volatile"));
        let deep = (0..50).fold(other, |part, _| part.member("next"));
        assert_eq!(deep.member("at").formats().collect::<Vec<_>>(), ["date"]);
    }

    #[test]
    fn of_what_is_not_documented_nothing_is_said() {
        let document = document(&json!({"type": "object", "readOnly": true}), &json!({}));
        let operation = &document.operations()[0];
        for part in [
            document.response_body(operation, 404, "application/json"),
            document.response_body(operation, 200, "text/plain"),
            body(&document).member("a").item(1),
        ] {
            assert!(!part.is("readOnly") && part.formats().next().is_none());
        }
        assert!(body(&document).is("readOnly"));
        let headers: Vec<_> = document.response_headers(operation, 204).collect();
        assert_eq!(headers[0].0, "X-At");
        assert_eq!(headers[0].1.formats().collect::<Vec<_>>(), ["date-time"]);
    }

    #[test]
    fn schemas_that_lead_to_each_other_without_end_are_bounded() {
        let mut schemas: serde_json::Map<String, Value> = (0..200)
            .map(|n| {
                (format!("L{n}"), json!({"allOf": [{"$ref": format!("#/components/schemas/L{}", n + 1)}]}))
            })
            .collect();
        schemas.insert(
            "L200".into(),
            json!({"oneOf": [{"$ref": "#/components/schemas/L0"}, {"type": "object"}]}),
        );
        let document = document(&json!({"$ref": "#/components/schemas/L0"}), &schemas.into());
        assert_eq!(body(&document).schemas.len(), SCHEMAS_MAX);
    }
}
