//! What schemas of each version accept, and what hostile ones cost.

mod call;

use call::{body_fits, body_pointers, call, faults, parse, with_body};
use serde_json::{Value, json};

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
