//! Reads request bodies and responses from the document.

use crate::{
    Location,
    body::Body,
    media::{Content, Media, Range},
    node::{Node, join},
    parameter::Parameter,
    parameters::Declared,
    reader::{Reader, Version},
    response::{Response, Statuses},
    schema::{Direction, Shape},
};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";
/// What Swagger 2.0 documents that name no media type mean.
const JSON: &str = "application/json";

impl<'v> Reader<'v> {
    /// The request body of an operation.
    pub(crate) fn body(&mut self, operation: &Node<'v>, declared: &[Declared<'v>]) -> Option<Body> {
        if self.version == Version::V2 {
            return self.body_v2(operation, declared);
        }
        let body = self.follow(operation.child("requestBody")?)?;
        let content = self.content(&body, Direction::Request);
        Some(Body::new(body.flag("required") == Some(true), content, Vec::new()))
    }

    fn body_v2(&mut self, operation: &Node<'v>, declared: &[Declared<'v>]) -> Option<Body> {
        let fields: Vec<&Declared<'v>> = declared.iter().filter(|one| one.place == "formData").collect();
        let consumes = self.listed(operation, "consumes");
        if let Some(body) = declared.iter().find(|one| one.place == "body") {
            if !fields.is_empty() {
                self.fault(body.node.pointer.as_str(), "an operation has a body or form fields, not both");
            }
            let types = if consumes.is_empty() { vec![JSON] } else { consumes };
            let content =
                self.content_v2(body.node.child("schema"), &types, Direction::Request, &operation.pointer);
            return Some(Body::new(body.node.flag("required") == Some(true), content, Vec::new()));
        }
        if fields.is_empty() {
            return None;
        }
        let has_file = fields.iter().any(|field| field.node.text("type") == Some("file"));
        let fields: Vec<Parameter> = fields.into_iter().filter_map(|field| self.parameter(field)).collect();
        let forms: Vec<&str> =
            consumes.into_iter().filter(|one| one.starts_with(FORM) || one.starts_with(MULTIPART)).collect();
        let types = match forms.is_empty() {
            false => forms,
            true if has_file => vec![MULTIPART],
            true => vec![FORM, MULTIPART],
        };
        let content = self.content_v2(None, &types, Direction::Request, &operation.pointer);
        let required = fields.iter().any(|field| field.required);
        Some(Body::new(required, content, fields))
    }

    /// One schema under each of the listed media types.
    fn content_v2(
        &mut self,
        schema: Option<Node<'v>>,
        types: &[&str],
        direction: Direction,
        at: &str,
    ) -> Content {
        let typed = schema.as_ref().filter(|_| types.iter().any(|text| !text.ends_with("json")));
        let shape = typed.map_or_else(Shape::default, |schema| self.shape(schema));
        let secret = self.secret(schema.as_ref());
        let schema = schema.map(|schema| self.schema(schema, direction));
        let mut content = Content::default();
        for text in types {
            if let Some(range) = self.range(text, at).filter(|_| self.spend()) {
                let (schema, shape, secret) = (schema.clone(), shape.clone(), secret.clone());
                content.media.push(Media { range, schema, shape, secret });
            }
        }
        content
    }

    /// The `content` of a 3.x body or response.
    fn content(&mut self, owner: &Node<'v>, direction: Direction) -> Content {
        let mut content = Content::default();
        for (name, media) in owner.child("content").iter().flat_map(Node::members) {
            let Some(range) = self.range(name, &media.pointer).filter(|_| self.spend()) else { continue };
            let Some(media) = self.follow(media) else { continue };
            let schema = media.child("schema");
            let typed = schema.as_ref().filter(|_| range.is_typed_by_schema());
            let shape = typed.map_or_else(Shape::default, |schema| self.shape(schema));
            let secret = self.secret(schema.as_ref());
            let schema = schema.map(|schema| self.schema(schema, direction));
            content.media.push(Media { range, schema, shape, secret });
        }
        content
    }

    fn range(&mut self, text: &str, at: &str) -> Option<Range> {
        let range = Range::parse(text);
        if range.is_none() {
            self.fault(at, format!("{text:?} is not a media type"));
        }
        range
    }

    /// The documented responses of an operation.
    pub(crate) fn responses(&mut self, operation: &Node<'v>) -> Vec<Response> {
        let mut responses = Vec::new();
        for (name, node) in operation.child("responses").iter().flat_map(Node::members) {
            if name.starts_with("x-") || !self.spend() {
                continue;
            }
            let Some(statuses) = Statuses::parse(name) else {
                self.fault(
                    node.pointer,
                    format!("{name:?} is not a status, a range such as 2XX, or default"),
                );
                continue;
            };
            let Some(node) = self.follow(node) else { continue };
            let content = match self.version {
                Version::V2 => self.produced(operation, &node),
                _ => self.content(&node, Direction::Response),
            };
            responses.push(Response { statuses, content, headers: self.headers(&node) });
        }
        responses
    }

    fn produced(&mut self, operation: &Node<'v>, response: &Node<'v>) -> Content {
        let Some(schema) = response.child("schema") else { return Content::default() };
        let produces = self.listed(operation, "produces");
        let types = if produces.is_empty() { vec![JSON] } else { produces };
        self.content_v2(Some(schema), &types, Direction::Response, &operation.pointer)
    }

    fn headers(&mut self, response: &Node<'v>) -> Vec<Parameter> {
        let mut headers = Vec::new();
        for (name, node) in response.child("headers").iter().flat_map(Node::members) {
            if name.eq_ignore_ascii_case("content-type") || !self.spend() {
                continue;
            }
            if http::HeaderName::try_from(name).is_err() {
                self.fault(join(&response.pointer, "headers"), format!("{name:?} is not a header name"));
                continue;
            }
            if let Some(node) = self.follow(node) {
                headers.push(self.read_parameter(name, Location::Response, &node));
            }
        }
        headers
    }
}
