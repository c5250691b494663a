//! Reads the parameters of an operation from the document.

use crate::{
    Location,
    node::{Node, join},
    parameter::Parameter,
    reader::{Reader, Version},
    schema::{Direction, Shape},
    style::Style,
};

/// Headers that OpenAPI lets other parts of the document describe.
const OTHERWISE_DESCRIBED: &[&str] = &["accept", "content-type", "authorization"];

/// Parameters of one operation.
const PARAMETERS_MAX: usize = 500;

/// A parameter as it stands in the document, before it is compiled.
pub(crate) struct Declared<'v> {
    pub(crate) name: &'v str,
    pub(crate) place: &'v str,
    pub(crate) node: Node<'v>,
}

impl<'v> Reader<'v> {
    /// The parameters of an operation, over those of its path.
    pub(crate) fn declared(&mut self, path_item: &Node<'v>, operation: &Node<'v>) -> Vec<Declared<'v>> {
        let mut all: Vec<Declared<'v>> = Vec::new();
        for owner in [path_item, operation] {
            let inherited = all.len();
            for item in owner.child("parameters").iter().flat_map(Node::items) {
                if !self.spend() || all.len() == PARAMETERS_MAX {
                    self.fault(item.pointer, format!("more than {PARAMETERS_MAX} parameters"));
                    break;
                }
                let Some(declared) = self.declare(item) else { continue };
                let same =
                    |other: &Declared<'v>| other.name == declared.name && other.place == declared.place;
                match all.iter().position(same) {
                    Some(at) if at >= inherited => {
                        let reason =
                            format!("the {} parameter {:?} is declared twice", declared.place, declared.name);
                        self.fault(declared.node.pointer, reason);
                    }
                    Some(at) => drop(std::mem::replace(&mut all[at], declared)),
                    None => all.push(declared),
                }
            }
        }
        all
    }

    fn declare(&mut self, item: Node<'v>) -> Option<Declared<'v>> {
        let node = self.follow(item)?;
        match (node.text("name"), node.text("in")) {
            (Some(name), Some(place)) => Some(Declared { name, place, node }),
            _ => {
                self.fault(node.pointer, "a parameter must have a name and say what it is in");
                None
            }
        }
    }

    /// The compiled parameter; `None` for what other parts of the document describe.
    pub(crate) fn parameter(&mut self, declared: &Declared<'v>) -> Option<Parameter> {
        let location = match declared.place {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" if OTHERWISE_DESCRIBED.contains(&declared.name.to_ascii_lowercase().as_str()) => {
                return None;
            }
            "header" => Location::Header,
            "cookie" if self.version != Version::V2 => Location::Cookie,
            "formData" if self.version == Version::V2 => Location::Body,
            other => {
                let reason = format!("a parameter cannot be in {other:?}");
                self.fault(join(&declared.node.pointer, "in"), reason);
                return None;
            }
        };
        let required = declared.node.flag("required") == Some(true);
        if location == Location::Path && !required {
            self.fault(declared.node.pointer.as_str(), "a path parameter must be required");
        }
        Some(self.read_parameter(declared.name, location, &declared.node))
    }

    /// Reads a parameter or header object.
    pub(crate) fn read_parameter(&mut self, name: &str, location: Location, node: &Node<'v>) -> Parameter {
        let (schema, style) = match self.parameter_schema(node) {
            Some((schema, true)) => (Some(schema), Style::Json),
            Some((schema, false)) => (Some(schema), self.style(node, location)),
            None => (None, self.style(node, location)),
        };
        let direction = if location == Location::Response { Direction::Response } else { Direction::Request };
        let default = schema.as_ref().and_then(|schema| self.seen_through(schema).child("default"));
        let secret = self.secret_parameter(node, schema.as_ref());
        Parameter {
            name: name.to_owned(),
            location: if location == Location::Response { Location::Header } else { location },
            required: node.flag("required") == Some(true),
            allow_empty: node.flag("allowEmptyValue") == Some(true),
            style,
            shape: schema.as_ref().map_or_else(Shape::default, |schema| self.shape(schema)),
            schema: schema.map(|schema| self.schema(schema, direction)),
            default: default.map(|default| default.value.clone()),
            secret,
        }
    }

    /// The node of the schema, and whether the value is JSON inside `content`.
    fn parameter_schema(&mut self, node: &Node<'v>) -> Option<(Node<'v>, bool)> {
        if self.version == Version::V2 {
            return Some((node.clone(), false));
        }
        if let Some(schema) = node.child("schema") {
            return Some((schema, false));
        }
        let (name, media) = node.child("content")?.members().next()?;
        let media = self.follow(media)?;
        let is_json = name.contains("json");
        Some((media.child("schema")?, is_json))
    }

    fn style(&mut self, node: &Node<'v>, location: Location) -> Style {
        if self.version == Version::V2 {
            return self.collection_format(node, location);
        }
        let in_query = matches!(location, Location::Query | Location::Cookie);
        let name = node.text("style").unwrap_or(if in_query { "form" } else { "simple" });
        let explode = node.flag("explode").unwrap_or(name == "form");
        match (name, location) {
            ("simple", Location::Path | Location::Header | Location::Response) => Style::Simple { explode },
            ("label", Location::Path) => Style::Label { explode },
            ("matrix", Location::Path) => Style::Matrix { explode },
            ("form", Location::Query | Location::Cookie) => Style::Form { explode },
            ("spaceDelimited" | "pipeDelimited", Location::Query) if explode => Style::Form { explode },
            ("spaceDelimited", Location::Query) => Style::Delimited(' '),
            ("pipeDelimited", Location::Query) => Style::Delimited('|'),
            ("deepObject", Location::Query) => Style::DeepObject,
            _ => {
                self.fault(
                    join(&node.pointer, "style"),
                    format!("the style {name:?} does not exist in {location}"),
                );
                Style::Simple { explode }
            }
        }
    }

    fn collection_format(&mut self, node: &Node<'v>, location: Location) -> Style {
        let in_pairs = matches!(location, Location::Query | Location::Body);
        match node.text("collectionFormat").unwrap_or("csv") {
            "csv" if in_pairs => Style::Form { explode: false },
            "csv" => Style::Simple { explode: false },
            "multi" if in_pairs => Style::Form { explode: true },
            "ssv" => Style::Delimited(' '),
            "tsv" => Style::Delimited('\t'),
            "pipes" => Style::Delimited('|'),
            other => {
                let reason = format!("the collection format {other:?} does not exist in {location}");
                self.fault(join(&node.pointer, "collectionFormat"), reason);
                Style::Simple { explode: false }
            }
        }
    }

    /// Texts of a list such as `consumes`, at the operation or else at the document.
    pub(crate) fn listed(&self, operation: &Node<'v>, key: &str) -> Vec<&'v str> {
        let own = operation.child(key).or_else(|| Node::root(self.root).child(key));
        own.iter().flat_map(Node::items).filter_map(|item| item.value.as_str()).collect()
    }
}

/// The shape of an object whose properties are these fields.
pub(crate) fn shape_of(fields: &[Parameter]) -> Shape {
    let properties = fields.iter().map(|field| (field.name.clone(), field.shape.clone())).collect();
    Shape { object: true, properties, ..Shape::default() }
}
