//! Documents that are refused, and what they are told.

mod call;

use call::{faults, v3};
use serde_json::json;
use swagger::Document;

#[test]
fn parse_mistakes_are_all_reported() {
    let document = v3(
        json!({
            "/a/{x}": {"get": {"operationId": "dup"}, "post": {}},
            "/a/{y}": {"get": {"operationId": "never"}},
            "/b": {"get": {"operationId": "dup", "parameters": [{"name": "q", "in": "path", "required": true, "schema": {}}],
                "security": [{"none": []}]}},
            "/c": {"get": {"operationId": "c", "x-funcatron-timeout": "soon",
                "x-funcatron-retries": {"max": 0, "backoff": "0s", "jitter": 1}, "parameters": [{"$ref": "#/components/parameters/L"}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "http://evil/x"}}}},
                "responses": {"2000": {"description": ""}}}},
            "/d": {"get": {"operationId": "d", "requestBody": {"content": {"application/json": {"schema": {"type": "string", "pattern": "(?=look)x"}}}}}},
        }),
        json!({"parameters": {"L": {"$ref": "#/components/parameters/L"}}}),
    );
    let mut document = document;
    document["x-funcatron-placement"] = json!({"gpu": true, "zone": ["a"], "disk": "ssd"});
    let found = faults(&document);
    let pointers: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    for expected in [
        "/x-funcatron-placement/gpu",
        "/x-funcatron-placement/zone",
        "/paths/~1a~1{x}/get",
        "/paths/~1a~1{x}/post",
        "/paths/~1a~1{y}",
        "/paths/~1b/get",
        "/paths/~1b/get/parameters/0",
        "/paths/~1b/get/security/0/none",
        "/components/parameters/L",
        "/paths/~1c/get/x-funcatron-timeout",
        "/paths/~1c/get/x-funcatron-retries/max",
        "/paths/~1c/get/x-funcatron-retries/backoff",
        "/paths/~1c/get/x-funcatron-retries/jitter",
        "/paths/~1c/get/requestBody/content/application~1json/schema/$ref",
        "/paths/~1c/get/responses/2000",
    ] {
        assert!(pointers.contains(&expected), "{expected} not in {pointers:#?}");
    }
    assert!(!pointers.contains(&"/x-funcatron-placement/disk"));
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

/// Refused, and soon: small documents that references, patterns or counts make large.
#[test]
fn hostile_documents_cost_seconds_at_most() {
    let many = |count: usize, one: &dyn Fn(usize) -> (String, serde_json::Value)| {
        serde_json::Value::Object((0..count).map(one).collect())
    };
    let wide = |name: &str| {
        many(1_000, &|index| (format!("p{index}"), json!({"$ref": format!("#/components/schemas/{name}")})))
    };
    let item = json!({"parameters": (0..400).map(|index| json!({"name": format!("q{index}"), "in": "query", "schema": {"type": "string"}})).collect::<Vec<_>>(),
        "get": {"operationId": "g"}, "put": {"operationId": "p"}});
    let shared = many(5_000, &|index| (format!("/{index}"), json!({"$ref": "#/components/x"})));
    let form = json!({"/f": {"post": {"operationId": "f", "requestBody": {"content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/W0"}}}}}}});
    let wides = many(8, &|index| {
        (
            format!("W{index}"),
            json!({"properties": wide(&format!("W{}", (index + 1) % 8)), "unevaluatedProperties": false,
        "allOf": (0..200).map(|_| json!({"$ref": format!("#/components/schemas/W{}", (index + 1) % 8)})).collect::<Vec<_>>()}),
        )
    });
    let patterns =
        many(3_000, &|index| (format!("p{index}"), json!({"type": "string", "pattern": "^.{1,900}$"})));
    let patterned = json!({"/p": {"post": {"operationId": "p", "requestBody": {"content": {"application/json": {"schema": {"properties": patterns}}}}}}});
    let mut inlined = v3(form, json!({"schemas": wides}));
    inlined["openapi"] = json!("3.1.0");
    let documents = [
        (
            "paths",
            v3(
                many(30_000, &|index| {
                    (format!("/{index}"), json!({"get": {"operationId": format!("o{index}")}}))
                }),
                json!({}),
            ),
        ),
        ("shared items", v3(shared, json!({"x": item}))),
        ("copies", inlined),
        ("patterns", v3(patterned, json!({}))),
    ];
    // How long this thread has computed: unlike the time on the wall, nobody else's business.
    let computed = || {
        let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        std::time::Duration::from_nanos(times.split(' ').next().unwrap().parse().unwrap())
    };
    for (name, document) in documents {
        let text = document.to_string();
        let before = computed();
        assert!(Document::parse(text.as_bytes()).is_err(), "{name}");
        let took = computed() - before;
        println!("{name} took {took:?}");
        assert!(took.as_secs() < 20, "{name} took {took:?}");
    }
}
