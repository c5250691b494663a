//! A Swagger 2.0 and an OpenAPI 3.0 document, judged through the public API.
#![allow(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

mod call;

use call::{call, faults, parse, v3};
use serde_json::json;
use swagger::{Document, Fault};

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
      x-funcatron-retries: {max: 2, backoff: 1.5s}
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
    let waits = [0, 1, 2].map(|retry| add.retries().unwrap().wait(retry));
    assert_eq!(waits.map(|wait| wait.map(|wait| wait.as_millis())), [Some(1_500), Some(3_000), None]);
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
    assert!(get.check_response("GET", 200, &json_type, br#"{"id":1,"name":"x"}"#).is_ok());
    let faults = get.check_response("GET", 200, &json_type, br#"{"name":"x"}"#).unwrap_err();
    assert!(faults[0].reason.contains("id"), "{faults:?}");
    assert!(get.check_response("GET", 200, &json_type, b"").is_err());
    assert!(get.check_response("HEAD", 200, &json_type, b"").is_ok());
    assert!(get.check_response("GET", 404, &json_type, b"{}").is_err());
    assert!(get.check_response("GET", 200, &[("content-type".into(), "text/html".into())], b"<p>").is_err());
    let upload = pets.operations().iter().find(|operation| operation.id() == "upload").unwrap();
    assert!(upload.check_response("POST", 204, &[], b"").is_ok());
    assert!(upload.check_response("POST", 500, &[], b"undocumented").is_ok());
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
