//! `Shape` is the little that must be known of a schema to turn text into a typed value.

use std::{cell::Cell, collections::HashMap};

use serde_json::{Number, Value};

use crate::{node::Node, reader::Reader};

/// Nested references and `allOf` looked through for one shape.
const DEPTH_MAX: usize = 6;
/// Schemas looked at for one shape; a form or a parameter has few.
const LOOKS_MAX: usize = 2_000;

/// The types that a schema allows, and those of its parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) null: bool,
    pub(crate) boolean: bool,
    pub(crate) integer: bool,
    pub(crate) number: bool,
    pub(crate) string: bool,
    pub(crate) array: bool,
    pub(crate) object: bool,
    pub(crate) items: Option<Box<Shape>>,
    pub(crate) properties: HashMap<String, Shape>,
    pub(crate) additional: Option<Box<Shape>>,
}

impl Shape {
    /// The value that the text stands for; text that fits no type stays text for the schema to refuse.
    pub(crate) fn value(&self, text: &str) -> Value {
        if self.null && !self.string && (text.is_empty() || text == "null") {
            return Value::Null;
        }
        if self.boolean && (text == "true" || text == "false") {
            return Value::Bool(text == "true");
        }
        let number = if self.integer || self.number { text.parse::<Number>().ok() } else { None };
        match number {
            Some(number) if self.number || is_integer(text) => Value::Number(number),
            _ => Value::from(text),
        }
    }

    /// The shape of one item; text when the schema does not say.
    pub(crate) fn item(&self) -> &Shape {
        self.items.as_deref().unwrap_or(&TEXT)
    }

    /// The shape of one property; text when the schema does not say.
    pub(crate) fn property(&self, name: &str) -> &Shape {
        self.properties.get(name).or(self.additional.as_deref()).unwrap_or(&TEXT)
    }

    fn allow(&mut self, name: &str) {
        match name {
            "null" => self.null = true,
            "boolean" => self.boolean = true,
            "integer" => self.integer = true,
            "number" => self.number = true,
            "string" => self.string = true,
            "array" => self.array = true,
            "object" => self.object = true,
            _ => {}
        }
    }

    fn merge(&mut self, other: Shape) {
        self.null |= other.null;
        self.boolean |= other.boolean;
        self.integer |= other.integer;
        self.number |= other.number;
        self.string |= other.string;
        self.array |= other.array;
        self.object |= other.object;
        self.items = self.items.take().or(other.items);
        self.additional = self.additional.take().or(other.additional);
        for (name, shape) in other.properties {
            self.properties.entry(name).or_insert(shape);
        }
    }
}

static TEXT: std::sync::LazyLock<Shape> =
    std::sync::LazyLock::new(|| Shape { string: true, ..Shape::default() });

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'v> Reader<'v> {
    pub(crate) fn shape(&self, node: &Node<'v>) -> Shape {
        self.shape_within(node, DEPTH_MAX, &Cell::new(LOOKS_MAX))
    }

    fn shape_within(&self, node: &Node<'v>, depth: usize, looks: &Cell<usize>) -> Shape {
        let mut shape = Shape::default();
        let (Some(depth), Some(left)) = (depth.checked_sub(1), looks.get().checked_sub(1)) else {
            return shape;
        };
        looks.set(left);
        shape.null = self.is_nullable(node);
        if node.reference().is_some() {
            shape.merge(self.shape_within(&self.seen_through(node), depth, looks));
            return shape;
        }
        match node.child("type").map(|types| types.value) {
            Some(Value::String(name)) => shape.allow(name),
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).for_each(|name| shape.allow(name));
            }
            _ => node
                .child("enum")
                .iter()
                .chain(&node.child("const"))
                .for_each(|values| untyped(values.value, &mut shape)),
        }
        shape.items = node.child("items").map(|items| Box::new(self.shape_within(&items, depth, looks)));
        shape.array |= shape.items.is_some() && node.child("type").is_none();
        self.shape_properties(node, depth, looks, &mut shape);
        for list in ["allOf", "anyOf", "oneOf"].iter().filter_map(|name| node.child(name)) {
            list.items().for_each(|item| shape.merge(self.shape_within(&item, depth, looks)));
        }
        shape
    }

    fn shape_properties(&self, node: &Node<'v>, depth: usize, looks: &Cell<usize>, shape: &mut Shape) {
        if let Some(properties) = node.child("properties") {
            shape.object |= node.child("type").is_none();
            shape.properties = properties
                .members()
                .map(|(name, child)| (name.to_owned(), self.shape_within(&child, depth, looks)))
                .collect();
        }
        shape.additional = node
            .child("additionalProperties")
            .filter(|additional| additional.value.is_object())
            .map(|additional| Box::new(self.shape_within(&additional, depth, looks)));
    }
}

/// The types of the values that a schema without `type` lists.
fn untyped(values: &Value, shape: &mut Shape) {
    let values = values.as_array().map_or(std::slice::from_ref(values), Vec::as_slice);
    for value in values {
        shape.allow(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_becomes_what_the_schema_says_or_stays_text() {
        let integer = Shape { integer: true, ..Shape::default() };
        assert_eq!(integer.value("-12"), json!(-12));
        for text in ["1.5", "1e3", "", "+1", "0x1", "abc", "007", "--1", "1 "] {
            assert_eq!(integer.value(text), json!(text));
        }
        let number = Shape { number: true, ..Shape::default() };
        assert_eq!(number.value("1.5e3"), json!(1500.0));
        assert_eq!(number.value("NaN"), json!("NaN"));
        let flag = Shape { boolean: true, null: true, ..Shape::default() };
        assert_eq!(flag.value("true"), json!(true));
        assert_eq!(flag.value(""), Value::Null);
    }

    #[test]
    fn numbers_beyond_machine_range_do_not_panic() {
        let integer = Shape { integer: true, ..Shape::default() };
        integer.value(&"9".repeat(1000));
        integer.value("18446744073709551616");
    }
}
