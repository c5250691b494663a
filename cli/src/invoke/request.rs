//! `Call`: the HTTP request for an operation, built from the document that describes it. Pure.

use anyhow::{Context, Result, bail};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use swagger::Document;

use crate::schema::Examples;

/// Everything but what RFC 3986 leaves free.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What the caller brings.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// Parameters by name, repeated for lists.
    pub(super) values: Vec<(String, String)>,
    /// Headers as they are.
    pub(super) headers: Vec<(String, String)>,
    /// The body.
    pub(super) body: Option<Vec<u8>>,
}

/// A request, relative to the base path of its route.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
}

/// A parameter as the document describes it.
struct Described<'d> {
    name: &'d str,
    place: &'d str,
    required: bool,
    /// Whether each value of a list stands for itself.
    exploded: bool,
}

impl Call {
    /// The request that calls the operation with these parameters.
    ///
    /// # Errors
    /// When the document has no such operation, or it takes other parameters.
    pub(super) fn build(document: &Document, id: &str, given: Parameters) -> Result<Self> {
        let operation = document.operations().iter().find(|operation| operation.id() == id);
        let operation = operation.with_context(|| format!("the document has no operation {id}"))?;
        let examples = Examples::of(document.json());
        let item = document
            .json()
            .get("paths")
            .and_then(|paths| paths.get(operation.path()))
            .unwrap_or(&Value::Null);
        let item = examples.resolve(item);
        let described = item.get(operation.method().to_ascii_lowercase()).unwrap_or(&Value::Null);
        let parameters = parameters(item, described, &examples);
        refuse_misfits(id, &parameters, &given.values)?;

        let mut call = Self {
            method: operation.method().to_owned(),
            target: operation.path().to_owned(),
            headers: given.headers,
            body: given.body,
        };
        for parameter in &parameters {
            let values = given.values.iter().filter(|(name, _)| name == parameter.name);
            let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
            if !values.is_empty() {
                call.set(parameter, &values);
            }
        }
        if call.body.is_some() && !call.has_header("content-type") {
            let media_type = media_type(document.json(), described, &examples);
            call.headers.push(("content-type".to_owned(), media_type.to_owned()));
        }
        Ok(call)
    }

    /// Whether it has a header of this name.
    pub(super) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    fn set(&mut self, parameter: &Described<'_>, values: &[&str]) {
        let escaped: Vec<String> =
            values.iter().map(|value| utf8_percent_encode(value, ESCAPED).to_string()).collect();
        match parameter.place {
            "path" => {
                self.target = self.target.replace(&format!("{{{}}}", parameter.name), &escaped.join(","));
            }
            "query" if parameter.exploded => {
                escaped.iter().for_each(|value| self.add_to_query(parameter.name, value));
            }
            "query" => self.add_to_query(parameter.name, &escaped.join(",")),
            "header" => self.headers.push((parameter.name.to_owned(), values.join(","))),
            _ => {
                self.headers.push(("cookie".to_owned(), format!("{}={}", parameter.name, escaped.join(","))));
            }
        }
    }

    fn add_to_query(&mut self, name: &str, value: &str) {
        let between = if self.target.contains('?') { '&' } else { '?' };
        self.target += &format!("{between}{}={value}", utf8_percent_encode(name, ESCAPED));
    }
}

/// The parameters of the operation, those of its path included; the operation's own win.
fn parameters<'d>(item: &'d Value, described: &'d Value, examples: &Examples<'d>) -> Vec<Described<'d>> {
    let mut parameters: Vec<Described<'d>> = Vec::new();
    for level in [described, item] {
        let listed = level.get("parameters").and_then(Value::as_array).into_iter().flatten();
        for parameter in listed.filter_map(|value| describe(examples.resolve(value))) {
            if !parameters.iter().any(|own| (own.name, own.place) == (parameter.name, parameter.place)) {
                parameters.push(parameter);
            }
        }
    }
    parameters
}

fn describe(parameter: &Value) -> Option<Described<'_>> {
    let text = |key: &str| parameter.get(key).and_then(Value::as_str);
    let flag = |key: &str| parameter.get(key).and_then(Value::as_bool);
    let place = text("in").filter(|place| ["path", "query", "header", "cookie"].contains(place))?;
    // Swagger 2.0 lists are joined unless they say multi; those of OpenAPI 3 in a query are not.
    let joined = parameter.get("type").is_some() && text("collectionFormat") != Some("multi");
    let exploded = flag("explode").unwrap_or_else(|| text("style").is_none_or(|style| style == "form"));
    Some(Described {
        name: text("name")?,
        place,
        required: flag("required").unwrap_or(false),
        exploded: exploded && !joined,
    })
}

fn refuse_misfits(id: &str, parameters: &[Described<'_>], values: &[(String, String)]) -> Result<()> {
    let names = || parameters.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
    if let Some((name, _)) =
        values.iter().find(|(name, _)| !parameters.iter().any(|known| known.name == name))
    {
        match parameters {
            [] => bail!("{id} takes no parameters, so no {name}"),
            _ => bail!("{id} takes no parameter {name}; it takes {}", names()),
        }
    }
    // Only without these there is no path to ask; what else is missing is for the platform to say.
    let missing = parameters.iter().find(|parameter| {
        parameter.place == "path"
            && parameter.required
            && !values.iter().any(|(name, _)| name == parameter.name)
    });
    match missing {
        Some(parameter) => bail!("{id} needs -p {}=…", parameter.name),
        None => Ok(()),
    }
}

/// The type of a body: JSON where it is taken, else the first that the document names.
fn media_type<'d>(json: &'d Value, described: &'d Value, examples: &Examples<'d>) -> &'d str {
    let body = described.get("requestBody").map(|body| examples.resolve(body));
    let contents = body.and_then(|body| body.get("content")).and_then(Value::as_object);
    let consumes = described.get("consumes").or_else(|| json.get("consumes")).and_then(Value::as_array);
    let types = contents.into_iter().flat_map(|contents| contents.keys().map(String::as_str));
    let types = types.chain(consumes.into_iter().flatten().filter_map(Value::as_str));
    let concrete: Vec<&str> = types.filter(|name| !name.contains('*')).collect();
    let json = concrete.iter().find(|name| name.starts_with("application/json"));
    json.or_else(|| concrete.first()).copied().unwrap_or("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "
openapi: 3.0.3
info: { title: T, version: '1' }
paths:
  /pets/{id}/{kind}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: string } }
      - { name: kind, in: path, required: true, schema: { type: string } }
    post:
      operationId: putPet
      parameters:
        - { $ref: '#/components/parameters/Tags' }
        - { name: ids, in: query, explode: false, schema: { type: array, items: { type: string } } }
        - { name: X-Why, in: header, schema: { type: string } }
        - { name: c, in: cookie, schema: { type: string } }
      requestBody: { content: { text/plain: {}, application/json: {} } }
      responses: { '200': { description: d } }
  /none:
    get:
      operationId: none
      responses: { '200': { description: d } }
components:
  parameters:
    Tags: { name: tags, in: query, schema: { type: array, items: { type: string } } }
";

    fn build(id: &str, values: &[(&str, &str)], body: Option<&str>) -> Result<Call> {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let given =
            Parameters { values, headers: Vec::new(), body: body.map(|body| body.as_bytes().to_vec()) };
        Call::build(&Document::parse(DOCUMENT.as_bytes()).unwrap(), id, given)
    }

    #[test]
    fn every_parameter_goes_to_its_place() {
        let values = [
            ("id", "a/b"),
            ("kind", "ü"),
            ("tags", "x"),
            ("tags", "y&z"),
            ("ids", "1"),
            ("ids", "2"),
            ("X-Why", "because"),
            ("c", "d"),
        ];
        let call = build("putPet", &values, None).unwrap();
        assert_eq!(call.method, "POST");
        assert_eq!(call.target, "/pets/a%2Fb/%C3%BC?tags=x&tags=y%26z&ids=1,2");
        assert_eq!(call.headers, [("X-Why".into(), "because".into()), ("cookie".into(), "c=d".into())]);
    }

    #[test]
    fn a_body_gets_the_type_that_the_document_takes() {
        let call = build("putPet", &[("id", "1"), ("kind", "k")], Some("{}")).unwrap();
        assert_eq!(call.headers, [("content-type".into(), "application/json".into())]);
        assert_eq!(call.body.as_deref(), Some(b"{}".as_slice()));
    }

    #[test]
    fn misfits_are_named_with_what_would_fit() {
        let refused = |id, values: &[(&str, &str)]| build(id, values, None).unwrap_err().to_string();
        assert_eq!(refused("putPet", &[("id", "1")]), "putPet needs -p kind=…");
        assert_eq!(
            refused("putPet", &[("age", "1")]),
            "putPet takes no parameter age; it takes tags, ids, X-Why, c, id, kind"
        );
        assert_eq!(refused("none", &[("age", "1")]), "none takes no parameters, so no age");
        assert_eq!(refused("nope", &[]), "the document has no operation nope");
    }
}
