//! `Request`: what a function of a Func is given.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Problem, Result, host};

/// One request, already checked against the document.
#[derive(Debug, Clone, Default)]
pub struct Request {
    method: String,
    uri: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    props: Option<Value>,
}

impl Request {
    /// The operationId that was matched.
    pub fn operation(&self) -> &str {
        self.header("x-funcatron-operation").unwrap_or_default()
    }

    /// The id of the request, the same in every log of the platform.
    pub fn id(&self) -> &str {
        self.header("x-request-id").unwrap_or_default()
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path with its query, as the client sent it.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The path parameter `name`.
    ///
    /// A value that is no `T` is a 400; a name that the document does not declare is a 500.
    pub fn path<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        self.parameter("path", name)?
            .ok_or_else(|| Problem::internal(format!("the document declares no path parameter {name:?}")))
    }

    /// The query parameter `name`; the document's default stands in for one that is absent.
    pub fn query<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.parameter("query", name)
    }

    /// The first header of this name (in any case), if it is readable text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// All headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The cookie `name`.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.header("cookie")?.split(';');
        let mut found = pairs.filter_map(|pair| pair.trim().split_once('='));
        found.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The token of `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// The body as it came.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text, or a 400.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.body)
            .map_err(|error| Problem::bad_request(format!("the body is not UTF-8: {error}")))
    }

    /// The body, read as JSON, or a 400.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Problem::bad_request(format!("the body does not fit: {error}")))
    }

    /// The props of the deployment; a Func without props reads `{}`.
    pub fn props<T: DeserializeOwned>(&self) -> Result<T> {
        let read = match &self.props {
            Some(props) => T::deserialize(props),
            None => serde_json::from_str(&host::variable("FUNCATRON_PROPS").unwrap_or("{}".into())),
        };
        read.map_err(|error| Problem::internal(format!("the props do not fit: {error}")))
    }

    fn parameter<T: DeserializeOwned>(&self, place: &str, name: &str) -> Result<Option<T>> {
        let Some(value) = self.parameters(place)?.remove(name) else {
            return Ok(None);
        };
        serde_json::from_value(value).map(Some).map_err(|error| {
            Problem::bad_request(format!("the {place} parameter {name} does not fit: {error}"))
        })
    }

    fn parameters(&self, place: &str) -> Result<Map<String, Value>> {
        match self.header(&parameters_header(place)) {
            Some(json) => Ok(serde_json::from_str(json)?),
            None => Ok(Map::new()),
        }
    }
}

/// Making requests: for tests, and for the side that receives them.
impl Request {
    /// A GET request for `operation`.
    pub fn new(operation: &str) -> Self {
        let request = Self { method: "GET".into(), uri: "/".into(), ..Self::default() };
        request.with_header("x-funcatron-operation", operation)
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn received(
        method: String,
        uri: String,
        headers: Vec<(String, Vec<u8>)>,
        body: Vec<u8>,
    ) -> Self {
        Self { method, uri, headers, body, props: None }
    }

    /// The same request with this method.
    pub fn with_method(mut self, method: &str) -> Self {
        self.method = method.to_ascii_uppercase();
        self
    }

    /// The same request with this path and query, as the client sends them.
    pub fn with_uri(mut self, uri: &str) -> Self {
        self.uri = uri.into();
        self
    }

    /// The same request with a header more.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.as_ref().to_vec()));
        self
    }

    /// The same request with a path parameter.
    pub fn with_path(self, name: &str, value: impl Serialize) -> Self {
        self.with_parameter("path", name, value)
    }

    /// The same request with a query parameter.
    pub fn with_query(self, name: &str, value: impl Serialize) -> Self {
        self.with_parameter("query", name, value)
    }

    /// The same request with this body.
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with_header("content-type", content_type)
    }

    /// The same request with this value as its JSON body.
    pub fn with_json(self, value: impl Serialize) -> Self {
        let body = serde_json::to_vec(&value).unwrap_or_default();
        self.with_body("application/json", body)
    }

    /// The same request under these props.
    pub fn with_props(mut self, props: impl Serialize) -> Self {
        self.props = serde_json::to_value(props).ok();
        self
    }

    fn with_parameter(mut self, place: &str, name: &str, value: impl Serialize) -> Self {
        let mut parameters = self.parameters(place).unwrap_or_default();
        parameters.insert(name.into(), serde_json::to_value(value).unwrap_or_default());
        let header = parameters_header(place);
        self.headers.retain(|(key, _)| *key != header);
        self.with_header(&header, Value::Object(parameters).to_string())
    }
}

fn parameters_header(place: &str) -> String {
    format!("x-funcatron-{place}-params")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_are_typed() {
        let request = Request::new("x").with_path("id", 7).with_path("name", "Rex").with_query("tags", ["a"]);
        assert_eq!(request.path::<i64>("id").unwrap(), 7);
        assert_eq!(request.path::<String>("name").unwrap(), "Rex");
        assert_eq!(request.query::<Vec<String>>("tags").unwrap(), Some(vec!["a".into()]));
        assert_eq!(request.query::<i64>("limit").unwrap(), None);
    }

    #[test]
    fn misfit_is_the_clients_fault_and_an_undeclared_name_is_ours() {
        let request = Request::new("x").with_path("id", "seven");
        assert_eq!(request.path::<i64>("id").unwrap_err().status(), 400);
        assert_eq!(request.path::<i64>("petId").unwrap_err().status(), 500);
    }

    #[test]
    fn escaped_parameters_are_read() {
        let request =
            Request::new("x").with_header("x-funcatron-path-params", br#"{"n":"\u00e9\ud83d\ude00"}"#);
        assert_eq!(request.path::<String>("n").unwrap(), "é😀");
    }

    #[test]
    fn headers_cookies_and_tokens_are_found() {
        let request = Request::new("x")
            .with_header("Cookie", "a=1; session=s2=")
            .with_header("Authorization", "bearer t0");
        assert_eq!(request.cookie("session"), Some("s2="));
        assert_eq!(request.cookie("none"), None);
        assert_eq!(request.header("COOKIE"), Some("a=1; session=s2="));
        assert_eq!(request.bearer(), Some("t0"));
    }

    #[test]
    fn body_is_bytes_text_or_json() {
        let request = Request::new("x").with_json(json!({ "a": 1 }));
        assert_eq!(request.json::<Value>().unwrap(), json!({ "a": 1 }));
        assert_eq!(request.text().unwrap(), r#"{"a":1}"#);
        let request = Request::new("x").with_body("text/plain", [0xff]);
        assert_eq!(request.text().unwrap_err().status(), 400);
        assert_eq!(request.json::<Value>().unwrap_err().status(), 400);
    }

    #[test]
    fn props_are_an_empty_object_by_default() {
        assert_eq!(Request::new("x").props::<Value>().unwrap(), json!({}));
        let request = Request::new("x").with_props(json!({ "key": "k" }));
        assert_eq!(request.props::<Value>().unwrap()["key"], "k");
    }
}
