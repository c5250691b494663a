//! Small documents of each version, judged through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "helpers of tests stand outside of test functions"
)]

use serde_json::{Value, json};
use swagger::{Document, Fault, Refusal, Request};

fn parse(document: &Value) -> Document {
    Document::parse(document.to_string().as_bytes()).unwrap()
}

fn faults(document: &Value) -> Vec<(String, String)> {
    let invalid = Document::parse(document.to_string().as_bytes()).unwrap_err();
    invalid.faults.into_iter().map(|fault| (fault.pointer, fault.reason)).collect()
}

struct Call<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn call<'a>(method: &'a str, path: &'a str) -> Call<'a> {
    Call { method, path, query: "", headers: Vec::new(), body: Vec::new() }
}

impl<'a> Call<'a> {
    fn query(mut self, query: &'a str) -> Self {
        self.query = query;
        self
    }
    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
    fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }
    fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }
    /// The operation with its path and query parameters.
    fn on(&self, document: &Document) -> Result<(String, Value, Value), Refusal> {
        let Call { method, path, query, headers, body } = self;
        let checked = document.check(&Request { method, path, query, headers, body })?;
        Ok((checked.operation.id().to_owned(), checked.path_params.into(), checked.query_params.into()))
    }
    fn refused(&self, document: &Document) -> Refusal {
        self.on(document).unwrap_err()
    }
    fn pointers(&self, document: &Document) -> Vec<String> {
        let refusal = self.refused(document);
        assert_eq!(refusal.status, 400, "{refusal:?}");
        refusal.faults.iter().map(|fault| format!("{}:{}", fault.location, fault.pointer)).collect()
    }
}

fn v3(paths: Value, components: Value) -> Value {
    json!({"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": paths, "components": components})
}

/// A document with one operation that takes this schema as its body, in this version.
fn with_body(version: &str, schema: Value, schemas: Value) -> Value {
    json!({"openapi": version, "info": {"title": "T", "version": "1"}, "components": {"schemas": schemas},
        "paths": {"/x": {"post": {"operationId": "x",
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}}}}}})
}

fn body_pointers(document: &Document, body: &Value) -> Vec<String> {
    call("POST", "/x").json(body).pointers(document)
}

fn body_fits(document: &Document, body: &Value) -> bool {
    match call("POST", "/x").json(body).on(document) {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal.status, 400);
            false
        }
    }
}

const PETS_YAML: &str = r#"
swagger: "2.0"
info: {title: Pets, version: 1.0}
host: Api.Example.com:443
basePath: /v1/
consumes: [application/json]
produces: [application/json]
securityDefinitions:
  key: {type: apiKey, name: X-Key, in: header}
  basic: {type: basic}
paths:
  /pets:
    get:
      operationId: listPets
      parameters:
        - {name: limit, in: query, type: integer, format: int32, maximum: 100, default: 20}
        - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: pipes}
        - {name: ids, in: query, type: array, items: {type: integer}, collectionFormat: multi}
      responses:
        200: {description: ok, schema: {type: array, items: {$ref: '#/definitions/Pet'}}}
    post:
      operationId: addPet
      x-funcatron-timeout: 500ms
      x-funcatron-idempotent: true
      security: [{key: []}, {basic: []}]
      parameters:
        - {name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}
      responses:
        201: {description: made}
  /pets/{id}:
    parameters:
      - {name: id, in: path, required: true, type: integer, minimum: 1}
    get:
      operationId: getPet
      responses:
        200: {description: ok, schema: {$ref: '#/definitions/Pet'}}
        default: {description: bad, schema: {type: object, required: [error]}}
  /upload:
    post:
      operationId: upload
      consumes: [multipart/form-data]
      parameters:
        - {name: file, in: formData, type: file, required: true}
        - {name: size, in: formData, type: integer}
      responses: {204: {description: done}}
definitions:
  Pet:
    type: object
    required: [id, name]
    properties:
      id: {type: integer, format: int64, readOnly: true}
      name: {type: string, x-nullable: true}
      friends: {type: array, items: {$ref: '#/definitions/Pet'}}
"#;

fn pets() -> Document {
    Document::parse(PETS_YAML.as_bytes()).unwrap()
}

#[test]
fn swagger_2_says_where_it_is_served() {
    let pets = pets();
    assert_eq!((pets.title(), pets.version()), ("Pets", "1.0"));
    assert_eq!(pets.host().to_string(), "api.example.com");
    assert_eq!(pets.base_path().to_string(), "/v1");
    let add = pets.operations().iter().find(|operation| operation.id() == "addPet").unwrap();
    assert_eq!(add.timeout(), Some(std::time::Duration::from_millis(500)));
    assert!(add.idempotent());
    assert_eq!((add.method(), add.path()), ("POST", "/pets"));
}

#[test]
fn query_parameters_are_typed_and_defaults_filled_in() {
    let (id, _, query) = call("GET", "/pets").query("tags=a%7Cb&ids=1&ids=2&other=x").on(&pets()).unwrap();
    assert_eq!(id, "listPets");
    assert_eq!(query, json!({"limit": 20, "tags": ["a", "b"], "ids": [1, 2]}));
}

#[test]
fn every_fault_is_told_at_once() {
    let found = call("GET", "/pets").query("limit=101&ids=x&tags=%zz").pointers(&pets());
    assert_eq!(found, ["query:/limit", "query:/tags", "query:/ids/0"]);
    assert_eq!(call("GET", "/pets").query("limit=1&limit=2").pointers(&pets()), ["query:/limit"]);
    assert_eq!(call("GET", "/pets/0").pointers(&pets()), ["path:/id"]);
    assert_eq!(call("GET", "/pets/x").pointers(&pets()), ["path:/id"]);
    assert!(call("GET", "/pets/9999999999999999999999999").on(&pets()).is_ok());
}

#[test]
fn faults_serialise_with_in() {
    let fault: Fault = call("GET", "/pets/0").refused(&pets()).faults.remove(0);
    let json = serde_json::to_value(&fault).unwrap();
    assert_eq!((&json["in"], &json["pointer"]), (&json!("path"), &json!("/id")));
}

#[test]
fn path_and_method_decide_404_and_405() {
    assert_eq!(call("GET", "/nope").refused(&pets()).status, 404);
    let refusal = call("DELETE", "/pets").refused(&pets());
    assert_eq!((refusal.status, refusal.allow), (405, vec!["GET".into(), "POST".into(), "HEAD".into()]));
    assert_eq!(call("OPTIONS", "/pets").refused(&pets()).status, 405);
    assert_eq!(call("HEAD", "/pets/1").on(&pets()).unwrap().0, "getPet");
}

#[test]
fn credentials_must_be_there_for_one_alternative() {
    let pet = json!({"name": "n"});
    let refusal = call("POST", "/pets").json(&pet).refused(&pets());
    assert_eq!(refusal.status, 401);
    assert_eq!(refusal.challenges, ["ApiKey name=\"X-Key\", in=\"header\"", "Basic realm=\"Pets\""]);
    assert!(call("POST", "/pets").json(&pet).header("x-key", "k").on(&pets()).is_ok());
    assert!(call("POST", "/pets").json(&pet).header("authorization", "Basic abc").on(&pets()).is_ok());
    assert_eq!(
        call("POST", "/pets").json(&pet).header("authorization", "Bearer abc").refused(&pets()).status,
        401
    );
}

#[test]
fn bodies_are_checked_by_type_and_schema() {
    let post = || call("POST", "/pets").header("x-key", "k");
    let refusal = post().body("text/xml", "<a/>").refused(&pets());
    assert_eq!(refusal.status, 415);
    assert!(refusal.detail.contains("application/json"));
    assert_eq!(post().pointers(&pets()), ["body:"]);
    assert_eq!(post().json(&json!({"name": 1})).pointers(&pets()), ["body:/name"]);
    assert_eq!(post().json(&json!({"name": null})).on(&pets()).unwrap().0, "addPet");
    let nested = json!({"name": "a", "friends": [{"name": "b"}, {"name": "c", "friends": [{"name": 5}]}]});
    assert_eq!(post().json(&nested).pointers(&pets()), ["body:/friends/1/friends/0/name"]);
    let refusal = post().body("application/json", "{\"a\":\n x}").refused(&pets());
    assert!(refusal.faults[0].reason.contains("line 2"), "{refusal:?}");
}

#[test]
fn read_only_is_required_of_answers_and_not_of_requests() {
    let pets = pets();
    let get = pets.operations().iter().find(|operation| operation.id() == "getPet").unwrap();
    let json_type = [("Content-Type".to_owned(), "application/json".to_owned())];
    assert!(get.check_response(200, &json_type, br#"{"id":1,"name":"x"}"#).is_ok());
    let faults = get.check_response(200, &json_type, br#"{"name":"x"}"#).unwrap_err();
    assert!(faults[0].reason.contains("id"), "{faults:?}");
    assert!(get.check_response(200, &json_type, b"").is_err());
    assert!(get.check_response(404, &json_type, b"{}").is_err());
    assert!(get.check_response(200, &[("content-type".into(), "text/html".into())], b"<p>").is_err());
    let upload = pets.operations().iter().find(|operation| operation.id() == "upload").unwrap();
    assert!(upload.check_response(204, &[], b"").is_ok());
    assert!(upload.check_response(500, &[], b"undocumented").is_ok());
}

#[test]
fn swagger_2_forms_are_checked() {
    let form = |size: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n\0\r\n--b\r\nContent-Disposition: form-data; name=\"size\"\r\n\r\n{size}\r\n--b--"
        )
    };
    let send = |body: String| call("POST", "/upload").body("multipart/form-data; boundary=b", body);
    assert!(send(form("5")).on(&pets()).is_ok());
    assert_eq!(send(form("x")).pointers(&pets()), ["body:/size"]);
    assert_eq!(send("--b--".to_owned()).pointers(&pets()), ["body:/file"]);
    assert_eq!(
        call("POST", "/upload").body("application/x-www-form-urlencoded", "size=1").refused(&pets()).status,
        415
    );
}

#[test]
fn servers_give_host_and_base_path() {
    let cases = [
        (
            json!({"url": "https://{r}.example.com:8443/api/{v}/", "variables": {"r": {"default": "eu"}, "v": {"default": "v2"}}}),
            "eu.example.com",
            "/api/v2",
        ),
        (json!({"url": "/relative"}), "*", "/relative"),
        (json!({"url": "http://localhost:8080/x"}), "*", "/x"),
        (json!({"url": "http://[::1]:8080"}), "*", "/"),
        (json!({"url": "//cdn.example.com/y"}), "cdn.example.com", "/y"),
        (json!({"url": "/"}), "*", "/"),
    ];
    for (server, host, base) in cases {
        let mut document = v3(json!({}), json!({}));
        document["servers"] = json!([server]);
        let document = parse(&document);
        assert_eq!(
            (document.host().to_string().as_str(), document.base_path().to_string().as_str()),
            (host, base)
        );
    }
    for url in ["https://a/b?c", "https://a/b#c", "https://user@host/", "https://{x}.com"] {
        let mut document = v3(json!({}), json!({}));
        document["servers"] = json!([{"url": url}]);
        assert_eq!(faults(&document)[0].0, "/servers/0/url", "{url}");
    }
}

#[test]
fn parameters_of_3_are_read_in_every_place() {
    let document = parse(&v3(
        json!({"/a/{ids}/{m}": {"get": {"operationId": "a", "parameters": [
            {"name": "ids", "in": "path", "required": true, "schema": {"type": "array", "items": {"type": "integer"}}},
            {"name": "m", "in": "path", "required": true, "style": "matrix", "schema": {"type": "boolean"}},
            {"name": "f", "in": "query", "style": "deepObject", "explode": true, "schema": {"type": "object", "properties": {"n": {"type": "number"}}}},
            {"name": "o", "in": "query", "schema": {"$ref": "#/components/schemas/Color"}},
            {"name": "j", "in": "query", "content": {"application/json": {"schema": {"type": "object", "required": ["k"]}}}},
            {"name": "X-H", "in": "header", "required": true, "schema": {"type": "string", "pattern": "^%[a-z]+$"}},
            {"name": "Accept", "in": "header", "required": true, "schema": {"type": "integer"}},
            {"name": "c", "in": "cookie", "schema": {"type": "integer"}}
        ]}}}),
        json!({"schemas": {"Color": {"allOf": [{"type": "integer", "nullable": true}]}}}),
    ));
    let good = call("GET", "/a/1,2/;m=true")
        .query("f[n]=1.5&o=7&j=%7B%22k%22%3A1%7D")
        .header("x-h", "%ab")
        .header("Cookie", "a=1; c=2");
    let (_, path, query) = good.on(&document).unwrap();
    assert_eq!(path, json!({"ids": [1, 2], "m": true}));
    assert_eq!(query, json!({"f": {"n": 1.5}, "o": 7, "j": {"k": 1}}));
    let bad = call("GET", "/a/1,x/;m=maybe").query("f[n]=q&o=red&j=%7B%7D").header("cookie", "c=z");
    assert_eq!(
        bad.pointers(&document),
        ["path:/ids/1", "path:/m", "query:/f/n", "query:/o", "query:/j", "header:/X-H", "cookie:/c"]
    );
}

#[test]
fn nullable_means_null_too_in_3_0() {
    let schemas = json!({"P": {"type": "object"}});
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "nullable": true, "enum": ["x"]},
        "b": {"allOf": [{"$ref": "#/components/schemas/P"}], "nullable": true},
        "c": {"type": "number", "minimum": 5, "exclusiveMinimum": true},
        "d": {"type": "string", "format": "date-time"},
        "e": {"type": "integer", "format": "int32"},
        "f": {"type": "string", "format": "byte"}
    }});
    let document = parse(&with_body("3.0.0", schema, schemas));
    assert!(body_fits(
        &document,
        &json!({"a": null, "b": null, "c": 5.1, "d": "2020-01-01T00:00:00Z", "e": 1, "f": "TQ=="})
    ));
    let bad = json!({"a": "y", "b": 1, "c": 5, "d": "today", "e": 3_000_000_000_u64, "f": "T"});
    let mut found = body_pointers(&document, &bad);
    found.sort();
    assert_eq!(found, ["body:/a", "body:/b", "body:/c", "body:/d", "body:/e", "body:/f"]);
}

#[test]
fn json_schema_2020_12_works_in_3_1() {
    let schemas = json!({
        "Base": {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
        "T": {"$defs": {"I": {"type": "integer"}}, "type": "array", "prefixItems": [{"$ref": "#/components/schemas/T/$defs/I"}], "items": false}
    });
    let schema = json!({"allOf": [{"$ref": "#/components/schemas/Base"}], "properties": {"t": {"$ref": "#/components/schemas/T", "minItems": 1}},
        "unevaluatedProperties": false});
    let document = parse(&with_body("3.1.0", schema, schemas));
    assert!(body_fits(&document, &json!({"a": null, "t": [1]})));
    for bad in [json!({"z": 1}), json!({"t": []}), json!({"t": [1, 2]}), json!({"t": ["x"]})] {
        assert!(!body_fits(&document, &bad), "{bad}");
    }
}

#[test]
fn discriminator_chooses_the_branch() {
    let schemas = json!({
        "Pet": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat", "dog": "Dog"}}},
        "Cat": {"type": "object", "required": ["kind", "lives"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}},
        "Dog": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "bark": {"type": "string"}}}
    });
    let document = parse(&with_body("3.0.0", json!({"$ref": "#/components/schemas/Pet"}), schemas));
    assert!(body_fits(&document, &json!({"kind": "cat", "lives": 9})));
    assert!(body_fits(&document, &json!({"kind": "Dog"})));
    assert_eq!(body_pointers(&document, &json!({"kind": "cat", "lives": "many"})), ["body:/lives"]);
    assert_eq!(body_pointers(&document, &json!({"kind": "dog", "bark": 1})), ["body:/bark"]);
    let refusal = call("POST", "/x").json(&json!({"lives": 1})).refused(&document);
    assert!(refusal.faults[0].reason.contains("kind"), "{refusal:?}");
}

#[test]
fn circular_schemas_are_fine() {
    let schemas = json!({
        "Tree": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Tree"}, "n": {"type": "integer"}}},
        "Self": {"allOf": [{"$ref": "#/components/schemas/Self"}, {"type": "object"}]},
        "A": {"oneOf": [{"$ref": "#/components/schemas/B"}]},
        "B": {"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object", "required": ["b"]}]}
    });
    let document = parse(&with_body("3.0.0", json!({"$ref": "#/components/schemas/Tree"}), schemas.clone()));
    assert_eq!(body_pointers(&document, &json!({"next": {"next": {"n": "x"}}})), ["body:/next/next/n"]);
    let document = parse(&with_body("3.0.0", json!({"$ref": "#/components/schemas/Self"}), schemas.clone()));
    assert!(body_fits(&document, &json!({})));
    assert!(!body_fits(&document, &json!(1)));
    let document = parse(&with_body("3.0.0", json!({"$ref": "#/components/schemas/A"}), schemas));
    assert!(body_fits(&document, &json!({"b": 1})));
    assert!(!body_fits(&document, &json!({})));
}

#[test]
fn deep_values_are_refused_and_do_not_overflow() {
    let schemas = json!({"T": {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"t": {"$ref": "#/components/schemas/T"}}}]}});
    let document = parse(&with_body("3.0.0", json!({"$ref": "#/components/schemas/T"}), schemas));
    let deep =
        |levels: usize, leaf: &str| format!("{}{leaf}{}", "{\"t\":".repeat(levels), "}".repeat(levels));
    let send = |text: String| call("POST", "/x").body("application/json", text).on(&document).is_ok();
    assert!(send(deep(100, "1")));
    assert!(!send(deep(100, "\"x\"")));
    assert!(!send(deep(10_000, "1")));
}

#[test]
fn parse_mistakes_are_all_reported() {
    let document = v3(
        json!({
            "/a/{x}": {"get": {"operationId": "dup"}, "post": {}},
            "/a/{y}": {"get": {"operationId": "never"}},
            "/b": {"get": {"operationId": "dup", "parameters": [{"name": "q", "in": "path", "required": true, "schema": {}}],
                "security": [{"none": []}]}},
            "/c": {"get": {"operationId": "c", "x-funcatron-timeout": "soon", "parameters": [{"$ref": "#/components/parameters/L"}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "http://evil/x"}}}},
                "responses": {"2000": {"description": ""}}}},
            "/d": {"get": {"operationId": "d", "requestBody": {"content": {"application/json": {"schema": {"type": "string", "pattern": "(?=look)x"}}}}}},
        }),
        json!({"parameters": {"L": {"$ref": "#/components/parameters/L"}}}),
    );
    let found = faults(&document);
    let pointers: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    for expected in [
        "/paths/~1a~1{x}/get",
        "/paths/~1a~1{x}/post",
        "/paths/~1a~1{y}",
        "/paths/~1b/get",
        "/paths/~1b/get/parameters/0",
        "/paths/~1b/get/security/0/none",
        "/components/parameters/L",
        "/paths/~1c/get/x-funcatron-timeout",
        "/paths/~1c/get/requestBody/content/application~1json/schema/$ref",
        "/paths/~1c/get/responses/2000",
    ] {
        assert!(pointers.contains(&expected), "{expected} not in {pointers:#?}");
    }
}

#[test]
fn patterns_that_need_backtracking_are_refused_with_their_pointer() {
    for pattern in ["(?=look)x", "(a)\\1", "(", "((a{1000}){1000}){1000}"] {
        let document = with_body(
            "3.0.0",
            json!({"type": "object", "properties": {"p": {"type": "string", "pattern": pattern}}}),
            json!({}),
        );
        let found = faults(&document);
        assert!(
            found[0].0.starts_with("/paths/~1x/post/requestBody/content/application~1json/schema"),
            "{found:?}"
        );
    }
    let document = parse(&with_body("3.0.0", json!({"type": "string", "pattern": "^(a+)+$"}), json!({})));
    let started = std::time::Instant::now();
    assert!(!body_fits(&document, &json!(format!("{}!", "a".repeat(100_000)))));
    assert!(started.elapsed().as_secs() < 2);
}

#[test]
fn nested_alternatives_are_bounded() {
    let level = |next: usize| json!({"anyOf": [{"$ref": format!("#/components/schemas/L{next}")}, {"$ref": format!("#/components/schemas/L{next}")}]});
    let mut schemas: serde_json::Map<String, Value> =
        (0..28).map(|index| (format!("L{index}"), level(index + 1))).collect();
    schemas.insert("L28".into(), json!({"type": "string"}));
    let found = faults(&with_body("3.0.0", json!({"$ref": "#/components/schemas/L0"}), schemas.into()));
    assert!(found[0].1.contains("multiply"), "{found:?}");

    // The same doubling spread over the levels of the value is bounded when it happens.
    let schemas = json!({"T": {"anyOf": [
        {"type": "object", "properties": {"t": {"$ref": "#/components/schemas/T"}}, "required": ["t"]},
        {"type": "object", "properties": {"t": {"$ref": "#/components/schemas/T"}}, "required": ["t"]}]}});
    let document = parse(&with_body("3.0.0", json!({"$ref": "#/components/schemas/T"}), schemas));
    let started = std::time::Instant::now();
    let text = format!("{}1{}", "{\"t\":".repeat(60), "}".repeat(60));
    let refusal = call("POST", "/x").body("application/json", text).refused(&document);
    assert!(refusal.faults[0].reason.contains("work"), "{refusal:?}");
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn long_reference_chains_do_not_overflow() {
    let mut schemas: serde_json::Map<String, Value> = (0..20_000)
        .map(|index| (format!("L{index}"), json!({"$ref": format!("#/components/schemas/L{}", index + 1)})))
        .collect();
    schemas.insert("L20000".into(), json!({"type": "string"}));
    let document = parse(&with_body("3.0.0", json!({"$ref": "#/components/schemas/L0"}), schemas.into()));
    assert!(!body_fits(&document, &json!("x")));
}

#[test]
fn dropped_documents_free_their_validators() {
    // Links point back weakly; a strong circle would keep every version of a redeployed document.
    for _ in 0..3 {
        drop(pets());
    }
}

#[test]
fn foreign_bytes_are_refused() {
    for text in [
        "",
        "[]",
        "1",
        "{}",
        "{\"openapi\":\"4.0.0\"}",
        "{\"swagger\":\"1.2\"}",
        "\u{0}",
        "%PDF",
        "openapi: 3.0.0",
    ] {
        assert!(Document::parse(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(Document::parse(&[0xff, 0xfe]).is_err());
}
