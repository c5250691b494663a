//! `Examples`: values made from the schemas of a document, good enough to pass its own checks.

use serde_json::{Map, Value, json};

/// Deep enough for what people read; recursive schemas end here.
const DEPTH_MAX: usize = 8;
/// Below this only what is required is filled in.
const OPTIONAL_DEPTH_MAX: usize = 4;

/// Makes example values from the schemas of one document.
pub(crate) struct Examples<'d> {
    document: &'d Value,
}

impl<'d> Examples<'d> {
    /// For this document.
    pub(crate) fn of(document: &'d Value) -> Self {
        Self { document }
    }

    /// What a reference within the document leads to; the value itself when it is none.
    pub(crate) fn resolve(&self, value: &'d Value) -> &'d Value {
        let mut value = value;
        // A chain longer than that is a circle.
        for _ in 0..DEPTH_MAX {
            match value.get("$ref").and_then(Value::as_str).and_then(|text| self.target(text)) {
                Some(target) => value = target,
                None => break,
            }
        }
        value
    }

    /// An example for a schema.
    pub(crate) fn value(&self, schema: &'d Value) -> Value {
        self.at(schema, 0)
    }

    fn target(&self, reference: &str) -> Option<&'d Value> {
        let pointer = reference.strip_prefix('#')?;
        let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8().ok()?;
        self.document.pointer(&pointer)
    }

    fn at(&self, schema: &'d Value, depth: usize) -> Value {
        let schema = self.resolve(schema);
        if depth > DEPTH_MAX {
            return Value::Null;
        }
        if let Some(given) = given(schema) {
            return given;
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.merged(schema, parts, depth);
        }
        let choice = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array()?.first());
        match choice {
            Some(first) => self.over(self.at(first, depth + 1), schema, depth),
            None => self.typed(schema, depth),
        }
    }

    /// All parts of an `allOf`, and what stands beside it.
    fn merged(&self, schema: &'d Value, parts: &'d [Value], depth: usize) -> Value {
        let parts = parts.iter().map(|part| self.at(part, depth + 1));
        let whole = parts.reduce(|whole, part| match (whole, part) {
            (Value::Object(mut whole), Value::Object(part)) => {
                whole.extend(part);
                Value::Object(whole)
            }
            (Value::Null, part) => part,
            (whole, _) => whole,
        });
        self.over(whole.unwrap_or(Value::Null), schema, depth)
    }

    /// Properties that stand beside a combination of schemas belong to it as well.
    fn over(&self, value: Value, schema: &'d Value, depth: usize) -> Value {
        match value {
            Value::Object(mut members) if schema.get("properties").is_some() => {
                members.extend(self.members(schema, depth));
                Value::Object(members)
            }
            value => value,
        }
    }

    fn typed(&self, schema: &'d Value, depth: usize) -> Value {
        match kind(schema) {
            "object" => Value::Object(self.members(schema, depth)),
            "array" => self.items(schema, depth),
            "string" => Value::String(text(schema)),
            "integer" => integer(schema),
            "number" => number(schema),
            "boolean" => json!(true),
            _ => Value::Null,
        }
    }

    fn members(&self, schema: &'d Value, depth: usize) -> Map<String, Value> {
        let required: Vec<&str> = strings(schema, "required").collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        let shown = properties.into_iter().flatten().filter(|(name, property)| {
            required.contains(&name.as_str())
                || depth < OPTIONAL_DEPTH_MAX && !is_true(self.resolve(property), "writeOnly")
        });
        shown.map(|(name, property)| (name.clone(), self.at(property, depth + 1))).collect()
    }

    fn items(&self, schema: &'d Value, depth: usize) -> Value {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        let count = if depth < OPTIONAL_DEPTH_MAX { least.max(1) } else { least };
        let empty = schema.get("maxItems").and_then(Value::as_u64) == Some(0);
        match schema.get("items") {
            Some(items) if !empty => (0..count.min(16)).map(|_| self.at(items, depth + 1)).collect(),
            _ => json!([]),
        }
    }
}

/// The value that the schema itself names.
fn given(schema: &Value) -> Option<Value> {
    let first = |key: &str| schema.get(key)?.as_array()?.first();
    let named = ["example", "const", "default"].iter().find_map(|key| schema.get(key));
    named.or_else(|| first("examples")).or_else(|| first("enum")).cloned()
}

/// The type of a schema, also where it only shows.
fn kind(schema: &Value) -> &str {
    let named = match schema.get("type") {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    };
    let shown = || {
        let shows =
            [("properties", "object"), ("items", "array"), ("minimum", "number"), ("minLength", "string")];
        shows.into_iter().find(|(key, _)| schema.get(key).is_some()).map(|(_, kind)| kind)
    };
    named.or_else(shown).unwrap_or(if schema.as_object().is_some_and(Map::is_empty) {
        "object"
    } else {
        "null"
    })
}

fn text(schema: &Value) -> String {
    let text = match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
        "date-time" => "2026-01-31T12:00:00Z",
        "date" => "2026-01-31",
        "time" => "12:00:00Z",
        "duration" => "PT1H",
        "uuid" => "0198c3a4-7b1e-7c3d-9f2a-5e6d7c8b9a0f",
        "email" | "idn-email" => "ada@example.com",
        "hostname" | "idn-hostname" => "example.com",
        "uri" | "url" | "iri" | "uri-reference" | "iri-reference" => "https://example.com/",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "byte" => "aGVsbG8=",
        _ => "text",
    };
    let bound =
        |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
    let length =
        text.len().max(bound("minLength").unwrap_or(0)).min(bound("maxLength").unwrap_or(usize::MAX));
    text.chars().chain(std::iter::repeat('x')).take(length).collect()
}

fn integer(schema: &Value) -> Value {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let step = bound("multipleOf").filter(|step| *step >= 1.0).unwrap_or(1.0);
    let exclusive = |key: &str| bound(key).or_else(|| is_true(schema, key).then_some(0.0)).is_some();
    let above = exclusive("exclusiveMinimum");
    let low = bound("exclusiveMinimum").or_else(|| bound("minimum"));
    let high = bound("exclusiveMaximum").or_else(|| bound("maximum"));
    let least = low.map_or(step, |low| {
        let first = (low / step).ceil() * step;
        if above && first <= low { first + step } else { first.max(step.min(high.unwrap_or(step))) }
    });
    let least = if high.is_some_and(|high| least > high) { low.or(high).unwrap_or(0.0) } else { least };
    #[expect(clippy::cast_possible_truncation, reason = "an example far out of range is still an example")]
    let whole = least as i64;
    json!(whole)
}

fn number(schema: &Value) -> Value {
    let whole = integer(schema);
    let high = schema.get("maximum").and_then(Value::as_f64);
    match (whole.as_f64(), high) {
        (Some(value), Some(high)) if value > high => json!(high),
        (Some(value), _) if schema.get("multipleOf").is_none() && high.is_none() => json!(value + 0.5),
        _ => whole,
    }
}

fn strings<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(schema: &Value) -> Value {
        let document = json!({ "schema": schema, "pet": {
            "type": "object", "required": ["name"],
            "properties": { "name": { "type": "string" }, "parent": { "$ref": "#/pet" } },
        } });
        let examples = Examples::of(&document);
        examples.value(&document["schema"])
    }

    #[test]
    fn what_the_schema_names_is_taken() {
        assert_eq!(example(&json!({ "type": "string", "example": "Rex" })), "Rex");
        assert_eq!(example(&json!({ "enum": ["a", "b"] })), "a");
        assert_eq!(example(&json!({ "examples": [7] })), 7);
    }

    #[test]
    fn bounds_are_kept() {
        assert_eq!(example(&json!({ "type": "integer", "minimum": 5 })), 5);
        assert_eq!(example(&json!({ "type": "integer", "minimum": 5, "exclusiveMinimum": true })), 6);
        assert_eq!(example(&json!({ "type": "integer", "maximum": 0 })), 0);
        assert_eq!(example(&json!({ "type": "integer", "minimum": 1, "multipleOf": 10 })), 10);
        assert_eq!(example(&json!({ "type": "string", "maxLength": 2 })), "te");
        assert_eq!(example(&json!({ "type": "string", "minLength": 6 })), "textxx");
        assert_eq!(
            example(&json!({ "type": "array", "minItems": 2, "items": { "type": "boolean" } })),
            json!([true, true])
        );
    }

    #[test]
    fn combinations_are_followed() {
        let a = json!({ "type": "object", "properties": { "a": { "type": "integer" } } });
        assert_eq!(
            example(&json!({ "allOf": [a, { "properties": { "b": { "const": 2 } } }] })),
            json!({ "a": 1, "b": 2 })
        );
        assert_eq!(example(&json!({ "oneOf": [{ "type": "boolean" }, { "type": "string" }] })), true);
        assert_eq!(example(&json!({ "type": ["null", "string"] })), "text");
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let pet = example(&json!({ "$ref": "#/pet" }));
        assert_eq!(pet["parent"]["parent"]["name"], "text");
        assert_eq!(example(&json!({ "$ref": "#/schema" })), Value::Null);
    }
}
