//! `Answer`: the example that a stub answers with, from the document's first good response.

use serde_json::{Map, Value};
use swagger::{Document, Operation};

use crate::schema::Examples;

/// A response to make up.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Content>,
}

/// A body and its type.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) media_type: String,
    pub(super) value: Value,
}

impl Content {
    pub(super) fn is_json(&self) -> bool {
        let essence = self.media_type.split(';').next().unwrap_or_default().trim();
        essence == "application/json" || essence.ends_with("+json")
    }

    fn bytes(&self) -> Vec<u8> {
        match &self.value {
            Value::String(text) if !self.is_json() => text.clone().into_bytes(),
            value => value.to_string().into_bytes(),
        }
    }
}

impl Answer {
    /// The example for an operation.
    pub(super) fn of(document: &Document, operation: &Operation) -> Self {
        let examples = Examples::of(document.json());
        let described = described(document.json(), operation, &examples);
        let responses = described.and_then(|described| described.get("responses")).and_then(Value::as_object);
        let Some((status, response)) = responses.and_then(good) else {
            return Self { status: 200, headers: Vec::new(), body: None };
        };
        let response = examples.resolve(response);
        let body =
            if status == 204 { None } else { content(document.json(), described, response, &examples) };
        Self { status, headers: headers(response, &examples), body }
    }

    /// What the document has against this example: no example can be guessed for some schemas.
    pub(super) fn faults(&self, operation: &Operation) -> Vec<String> {
        let mut headers = self.headers.clone();
        headers.extend(self.body.iter().map(|body| ("content-type".to_owned(), body.media_type.clone())));
        let body = self.body.as_ref().map(Content::bytes).unwrap_or_default();
        let checked = operation.check_response(operation.method(), self.status, &headers, &body);
        let faults = checked.err().unwrap_or_default();
        faults.into_iter().map(|fault| format!("{}: {}", fault.pointer, fault.reason)).collect()
    }
}

/// The operation as the document has it.
fn described<'d>(json: &'d Value, operation: &Operation, examples: &Examples<'d>) -> Option<&'d Value> {
    let item = examples.resolve(json.get("paths")?.get(operation.path())?);
    item.get(operation.method().to_ascii_lowercase())
}

/// The lowest status that means success, or what stands for it.
fn good(responses: &Map<String, Value>) -> Option<(u16, &Value)> {
    let exact = responses.iter().filter_map(|(key, response)| Some((key.parse().ok()?, response)));
    let success = exact.clone().filter(|(status, _)| (200..300).contains(status));
    let wide = ["2XX", "2xx", "default"].iter().find_map(|key| Some((200, responses.get(*key)?)));
    success.min_by_key(|(status, _)| *status).or(wide).or_else(|| exact.min_by_key(|(status, _)| *status))
}

fn content<'d>(
    json: &'d Value,
    described: Option<&'d Value>,
    response: &'d Value,
    examples: &Examples<'d>,
) -> Option<Content> {
    if json.get("swagger").is_some() {
        return swagger_content(json, described, response, examples);
    }
    let contents = response.get("content")?.as_object()?;
    let (media_type, media) = preferred(contents.iter().map(|(name, media)| (name.as_str(), media)))?;
    let named = media.get("example").or_else(|| {
        let first = media.get("examples")?.as_object()?.values().next()?;
        examples.resolve(first).get("value")
    });
    let schema = || media.get("schema").map(|schema| examples.value(schema));
    let value = named.cloned().or_else(schema).unwrap_or(Value::Object(Map::new()));
    Some(Content { media_type: concrete(media_type), value })
}

/// Swagger 2.0 has one schema, and the media types elsewhere.
fn swagger_content<'d>(
    json: &'d Value,
    described: Option<&'d Value>,
    response: &'d Value,
    examples: &Examples<'d>,
) -> Option<Content> {
    let schema = response.get("schema")?;
    let produces = described.and_then(|described| described.get("produces")).or_else(|| json.get("produces"));
    let types = produces.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let media_type = preferred(types.map(|name| (name, schema))).map_or("application/json", |(name, _)| name);
    let named = response.get("examples").and_then(|examples| examples.get(media_type)).cloned();
    Some(Content { media_type: concrete(media_type), value: named.unwrap_or_else(|| examples.value(schema)) })
}

/// JSON, or else what comes first.
fn preferred<'n, T>(mut types: impl Iterator<Item = (&'n str, T)> + Clone) -> Option<(&'n str, T)> {
    let json =
        types.clone().find(|(name, _)| name.starts_with("application/json") || name.ends_with("+json"));
    json.or_else(|| types.next())
}

/// A media type that a response can carry.
fn concrete(media_type: &str) -> String {
    match media_type {
        "*/*" | "application/*" => "application/json".to_owned(),
        range => range.replace("/*", "/plain"),
    }
}

/// The headers that the document insists on.
fn headers<'d>(response: &'d Value, examples: &Examples<'d>) -> Vec<(String, String)> {
    let described = response.get("headers").and_then(Value::as_object).into_iter().flatten();
    let resolved = described.map(|(name, header)| (name, examples.resolve(header)));
    let required = resolved.filter(|(_, header)| header.get("required") == Some(&Value::Bool(true)));
    required
        .map(|(name, header)| {
            let value = header.get("schema").map_or(Value::Null, |schema| examples.value(schema));
            (name.to_ascii_lowercase(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect()
}
