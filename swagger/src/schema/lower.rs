//! Lowers a schema of any OpenAPI version to the JSON Schema 2020-12 that the validator compiles.
//!
//! Only keywords that assert something survive. A `$ref` becomes a link to another entry, so each schema of the
//! document is compiled once however many operations reach it.

use std::{cell::Cell, collections::HashSet};

use serde_json::{Map, Value, json};

use super::{
    discriminator::DISCRIMINATE,
    format,
    keywords::{self, Keyword},
    link::LINK,
    schemas::{Direction, Entry},
};
use crate::{
    node::{self, Node},
    reader::{Reader, Version},
};

/// Schemas copied into one another for `unevaluatedProperties`, which cannot see through a link.
const INLINE_DEPTH_MAX: usize = 8;
/// A copied schema takes memory that no part of the document took, so copies are counted dearly.
const COPY_WORK: usize = 50;
/// Nesting of schema keywords; the document itself is bounded to about as much.
const DEPTH_MAX: usize = 128;

/// Schemas of `allOf` searched for a `readOnly` property.
const MARK_LOOKS_MAX: usize = 32;

/// Where in a schema lowering stands.
#[derive(Clone, Copy)]
struct Place {
    direction: Direction,
    /// Still about the value that the entry is about, not about a part of it.
    same_value: bool,
    /// Under `unevaluated*`: references of the same value are copied in, so many levels deep.
    inline: Option<usize>,
    depth: usize,
}

impl<'v> Reader<'v> {
    pub(crate) fn lower_entry(&mut self, node: Node<'v>, direction: Direction) -> Entry {
        let mut in_place = Vec::new();
        let place = Place { direction, same_value: true, inline: None, depth: 0 };
        let lowered = self.lower(&node, place, &mut in_place);
        Entry { pointer: node.pointer, lowered, in_place }
    }

    fn lower(&mut self, node: &Node<'v>, place: Place, in_place: &mut Vec<usize>) -> Value {
        let work = if place.inline.is_some() { COPY_WORK } else { 1 };
        if !self.spend_many(work) || node.value.is_boolean() {
            return Value::Bool(node.value != &Value::Bool(false));
        }
        if !node.value.is_object() {
            self.fault(node.pointer.as_str(), "a schema must be an object");
            return Value::Bool(true);
        }
        if place.depth > DEPTH_MAX {
            self.fault(node.pointer.as_str(), "the schema is nested too deeply");
            return Value::Bool(true);
        }
        let place = Place { depth: place.depth + 1, inline: inlining(node, place), ..place };
        match node.reference() {
            Some(reference) => self.lower_reference(node, reference, place, in_place),
            None => self.lower_object(node, place, in_place),
        }
    }

    fn lower_reference(
        &mut self,
        node: &Node<'v>,
        reference: &str,
        place: Place,
        in_place: &mut Vec<usize>,
    ) -> Value {
        let target = match node::resolve(self.root, reference) {
            Ok(target) => target,
            Err(reason) => {
                self.fault(node::join(&node.pointer, "$ref"), reason);
                return Value::Bool(true);
            }
        };
        let linked = match place.inline {
            Some(level) if level < INLINE_DEPTH_MAX => {
                self.lower(&target, Place { inline: Some(level + 1), ..place }, in_place)
            }
            _ => self.link(target, place, in_place),
        };
        // Before 3.1 a reference stands alone; generators still write `nullable` beside it and mean it.
        let siblings = match self.version {
            Version::V31 => self.lower_object(node, place, in_place),
            _ => Value::Object(Map::new()),
        };
        let both = match siblings.as_object().is_some_and(|map| !map.is_empty()) {
            true => one_keyword("allOf", vec![linked, siblings]),
            false => linked,
        };
        if self.is_nullable(node) { or_null(both) } else { both }
    }

    fn link(&mut self, target: Node<'v>, place: Place, in_place: &mut Vec<usize>) -> Value {
        let index = self.schemas.target(target, place.direction);
        if place.same_value {
            in_place.push(index);
        }
        json!({ LINK: index })
    }

    fn lower_object(&mut self, node: &Node<'v>, place: Place, in_place: &mut Vec<usize>) -> Value {
        let mut lowered = Map::new();
        for (name, child) in node.members() {
            if let Some(kind) = keywords::kind(name) {
                let value = self.lower_keyword(kind, &child, place, in_place);
                lowered.insert(name.to_owned(), value);
            } else if matches!(name, "$dynamicRef" | "$recursiveRef") {
                self.fault(child.pointer, format!("{name} is not supported; use $ref"));
            }
        }
        self.mend(node, place.direction, &mut lowered);
        self.discriminate(node, place, &mut lowered, in_place);
        match self.is_nullable(node) {
            true => nullable(lowered),
            false => Value::Object(lowered),
        }
    }

    fn lower_keyword(
        &mut self,
        kind: Keyword,
        child: &Node<'v>,
        place: Place,
        in_place: &mut Vec<usize>,
    ) -> Value {
        let part = Place { same_value: false, inline: None, ..place };
        match kind {
            Keyword::Plain => child.value.clone(),
            Keyword::SameValue => self.lower(child, place, in_place),
            Keyword::SameValueList => self.lower_list(child, place, in_place),
            Keyword::SameValueMap => self.lower_map(child, place, in_place),
            // An array of items is how tuples were written before `prefixItems`.
            Keyword::Part if child.value.is_array() => self.lower_list(child, part, in_place),
            Keyword::Part => self.lower(child, part, in_place),
            Keyword::PartList => self.lower_list(child, part, in_place),
            Keyword::PartMap => self.lower_map(child, part, in_place),
        }
    }

    fn lower_list(&mut self, list: &Node<'v>, place: Place, in_place: &mut Vec<usize>) -> Value {
        if !list.value.is_array() {
            self.fault(list.pointer.as_str(), "a list of schemas must be an array");
        }
        list.items().map(|item| self.lower(&item, place, in_place)).collect()
    }

    fn lower_map(&mut self, map: &Node<'v>, place: Place, in_place: &mut Vec<usize>) -> Value {
        if !map.value.is_object() {
            self.fault(map.pointer.as_str(), "named schemas must be an object");
        }
        let members: Map<String, Value> = map
            .members()
            .map(|(name, child)| (name.to_owned(), self.lower(&child, place, in_place)))
            .collect();
        Value::Object(members)
    }

    /// Turns what older versions wrote differently into what 2020-12 writes.
    fn mend(&mut self, node: &Node<'v>, direction: Direction, lowered: &mut Map<String, Value>) {
        if self.version != Version::V31 {
            exclusive(lowered, "exclusiveMinimum", "minimum");
            exclusive(lowered, "exclusiveMaximum", "maximum");
        }
        if lowered.get("items").is_some_and(Value::is_array)
            && let Some(items) = lowered.remove("items")
        {
            lowered.insert("prefixItems".to_owned(), items);
        }
        if lowered.get("type").and_then(Value::as_str) == Some("file") {
            *lowered = Map::new();
        }
        format::mend(lowered);
        self.mend_required(node, direction, lowered);
    }

    /// Drops `required: true` (a draft-3 habit) and names that this direction does not carry.
    fn mend_required(&mut self, node: &Node<'v>, direction: Direction, lowered: &mut Map<String, Value>) {
        let Some(required) = lowered.remove("required") else { return };
        let Value::Array(mut names) = required else {
            if !required.is_boolean() {
                self.fault(node::join(&node.pointer, "required"), "required must be a list of names");
            }
            return;
        };
        let mark = match direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let mut seen = HashSet::new();
        names.retain(|name| {
            !name.as_str().is_some_and(|name| {
                let is_new = seen.insert(name.to_owned());
                !is_new || self.is_marked(node, name, mark, &Cell::new(MARK_LOOKS_MAX))
            })
        });
        if !names.is_empty() {
            lowered.insert("required".to_owned(), Value::Array(names));
        }
    }

    /// Whether the property carries the mark, here, behind its reference or in a schema of `allOf`.
    fn is_marked(&self, node: &Node<'v>, name: &str, mark: &str, looks: &Cell<usize>) -> bool {
        let Some(left) = looks.get().checked_sub(1) else { return false };
        looks.set(left);
        let node = self.seen_through(node);
        if let Some(property) = node.child("properties").and_then(|properties| properties.child(name)) {
            return property.flag(mark) == Some(true)
                || self.seen_through(&property).flag(mark) == Some(true);
        }
        node.child("allOf")
            .is_some_and(|list| list.items().any(|item| self.is_marked(&item, name, mark, looks)))
    }

    /// The target of a reference, or the node itself.
    pub(crate) fn seen_through(&self, node: &Node<'v>) -> Node<'v> {
        let target = node.reference().and_then(|reference| node::resolve(self.root, reference).ok());
        target.unwrap_or_else(|| node.clone())
    }

    pub(crate) fn is_nullable(&self, node: &Node<'v>) -> bool {
        self.version != Version::V31
            && (node.flag("nullable") == Some(true) || node.flag("x-nullable") == Some(true))
    }

    /// Replaces `oneOf` or `anyOf` by a choice when a discriminator names the branch.
    fn discriminate(
        &mut self,
        node: &Node<'v>,
        place: Place,
        lowered: &mut Map<String, Value>,
        in_place: &mut Vec<usize>,
    ) {
        let Some(discriminator) = node.child("discriminator") else { return };
        let (Some(property), Some(list)) =
            (discriminator.text("propertyName"), node.child("oneOf").or_else(|| node.child("anyOf")))
        else {
            return;
        };
        let mut names = Map::new();
        let mut branches = Vec::new();
        for item in list.items() {
            let Some(Ok(target)) = item.reference().map(|reference| node::resolve(self.root, reference))
            else {
                return;
            };
            if let Some(name) = target.pointer.rsplit('/').next() {
                names.insert(name.to_owned(), json!(branches.len()));
            }
            branches.push(target);
        }
        self.read_mapping(&discriminator, &branches, &mut names);
        let links: Vec<usize> =
            branches.into_iter().map(|target| self.schemas.target(target, place.direction)).collect();
        if place.same_value {
            in_place.extend(&links);
        }
        lowered.remove("oneOf");
        lowered.remove("anyOf");
        lowered
            .insert(DISCRIMINATE.to_owned(), json!({"property": property, "names": names, "links": links}));
    }

    fn read_mapping(
        &mut self,
        discriminator: &Node<'v>,
        branches: &[Node<'v>],
        names: &mut Map<String, Value>,
    ) {
        let Some(mapping) = discriminator.child("mapping") else { return };
        for (name, child) in mapping.members() {
            let Some(text) = child.value.as_str() else {
                self.fault(child.pointer, "a mapping must name a schema");
                continue;
            };
            let branch = branches.iter().position(|target| {
                text.strip_prefix('#') == Some(target.pointer.as_str())
                    || target.pointer.rsplit('/').next() == Some(text)
            });
            match branch {
                Some(branch) => drop(names.insert(name.to_owned(), json!(branch))),
                // A mapping may name more than this place offers.
                None if node::resolve(self.root, text).is_ok() || !text.contains(['#', '/']) => {}
                None => self.fault(child.pointer, format!("the mapping {text:?} leads nowhere")),
            }
        }
    }
}

/// Links are opaque to `unevaluated*`, so what such a schema refers to is copied into it.
fn inlining(node: &Node<'_>, place: Place) -> Option<usize> {
    let counts = ["unevaluatedProperties", "unevaluatedItems"].iter().any(|name| node.child(name).is_some());
    if counts { place.inline.or(Some(0)) } else { place.inline }
}

/// `exclusiveMinimum: true` beside `minimum: 5` becomes `exclusiveMinimum: 5`.
fn exclusive(lowered: &mut Map<String, Value>, flag: &str, limit: &str) {
    match lowered.get(flag) {
        Some(Value::Bool(true)) => {
            lowered.remove(flag);
            if let Some(value) = lowered.remove(limit) {
                lowered.insert(flag.to_owned(), value);
            }
        }
        Some(Value::Bool(false)) => drop(lowered.remove(flag)),
        _ => {}
    }
}

fn or_null(schema: Value) -> Value {
    one_keyword("anyOf", vec![json!({"type": "null"}), schema])
}

fn one_keyword(name: &str, schemas: Vec<Value>) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), Value::Array(schemas))]))
}

/// Adds null in place where the schema is a plain type, so that errors keep naming that type.
fn nullable(mut lowered: Map<String, Value>) -> Value {
    let combined = ["allOf", "anyOf", "oneOf", "not", "const", DISCRIMINATE]
        .iter()
        .any(|name| lowered.contains_key(*name));
    let Some(Value::String(name)) = lowered.get("type").filter(|_| !combined) else {
        return or_null(Value::Object(lowered));
    };
    let types = json!([name, "null"]);
    lowered.insert("type".to_owned(), types);
    if let Some(Value::Array(values)) = lowered.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    Value::Object(lowered)
}
