//! Reads the bytes of a document, JSON or YAML, into one JSON value under tight budgets.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The largest document that is read; the largest real one known (Microsoft Graph) has 47 MB.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 50 << 20;
/// Values in a document; a value takes about 80 bytes of memory, so this is some 300 MB at worst.
const NODES_MAX: usize = 4_000_000;
/// Nesting in YAML, whose reader takes much stack at each level; serde_json itself stops at 128.
const YAML_DEPTH_MAX: usize = 64;
/// What YAML aliases may add; anchors in real documents repeat a few hundred values.
const ALIAS_EVENTS_MAX: usize = 200_000;

/// Reads a document, or says in one sentence why it cannot be read.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, String> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(format!("the document has {} bytes; at most {DOCUMENT_BYTES_MAX} are read", bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| format!("the document is not UTF-8: {error}"))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') { read_json(text) } else { read_yaml(text) }
}

fn read_json(text: &str) -> Result<Value, String> {
    let budget = Budget::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Strict(&budget)
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| format!("the document is not valid JSON: {error}"))
}

fn read_yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: YAML_DEPTH_MAX,
            flow_nesting_limit: YAML_DEPTH_MAX,
            max_documents: 1,
            max_events: NODES_MAX * 2,
            max_nodes: NODES_MAX,
            max_total_scalar_bytes: DOCUMENT_BYTES_MAX,
            max_recorded_anchor_events: ALIAS_EVENTS_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: ALIAS_EVENTS_MAX,
        },
        // YAML 1.2: only true and false are booleans, so `no` stays a country.
        strict_booleans: true,
        with_snippet: false,
    };
    let budget = Budget::default();
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        Strict(&budget).deserialize(deserializer)
    })
    .map_err(|error| format!("the document is not valid YAML: {error}"))
}

/// What is left of the document's allowance; both readers spend from it.
struct Budget {
    nodes: Cell<usize>,
    text_bytes: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        // Aliases can repeat text, so it is counted apart from the bytes read.
        Budget { nodes: Cell::new(NODES_MAX), text_bytes: Cell::new(DOCUMENT_BYTES_MAX) }
    }
}

impl Budget {
    fn spend<E: serde::de::Error>(&self, text_bytes: usize) -> Result<(), E> {
        let nodes = self.nodes.get().checked_sub(1).ok_or_else(|| E::custom("it has too many values"))?;
        let text =
            self.text_bytes.get().checked_sub(text_bytes).ok_or_else(|| E::custom("it has too much text"))?;
        self.nodes.set(nodes);
        self.text_bytes.set(text);
        Ok(())
    }
}

/// A value whose objects have each key once and only keys that are text.
#[derive(Clone, Copy)]
struct Strict<'b>(&'b Budget);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.0.spend(0).map(|()| Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.0.spend(0).map(|()| Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.0.spend(0).map(|()| Value::from(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.0.spend(0).map(|()| Value::from(value))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.0.spend(0).map(|()| Value::from(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.0.spend(value.len()).map(|()| Value::from(value))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        self.0.spend(value.len()).map(|()| Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.0.spend(0)?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.0.spend(0)?;
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            self.0.spend(key.len())?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {key:?} stands twice in one object")));
            }
            map.insert(key, members.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_keys_and_country_codes_stay_text() {
        let text =
            "200: ok\nno: norway\ntrue: t\n1.5: n\nyes_: no\ncount: 012\nver: 1.0\nflag: true\nnothing: ~\n";
        let value = read(text.as_bytes()).unwrap();
        assert_eq!(value["200"], json!("ok"));
        assert_eq!(value["no"], json!("norway"));
        assert_eq!(value["true"], json!("t"));
        assert_eq!(value["1.5"], json!("n"));
        assert_eq!(value["yes_"], json!("no"));
        assert_eq!(value["flag"], json!(true));
        assert_eq!(value["nothing"], json!(null));
    }

    #[test]
    fn duplicate_keys_are_refused() {
        for text in ["{\"a\":1,\"a\":2}", "a: 1\na: 2\n", "200: 1\n\"200\": 2\n", "x: {\"a\":1,\"a\":2}"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn bombs_are_refused_quickly() {
        let laughs = (0..30).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
            let row = format!("*a{level},").repeat(10);
            format!("{text}a{}: &a{} [{}]\n", level + 1, level + 1, row.trim_end_matches(','))
        });
        let fat = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a,".repeat(5_000));
        let deep_flow = "{a: ".repeat(100_000);
        let deep_json = "{\"a\":".repeat(100_000);
        let deep_block: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        let own = "a: &a [*a]\n".to_owned();
        let two_documents = "a: 1\n---\nb: 2\n".to_owned();
        let started = std::time::Instant::now();
        for text in [laughs, fat, deep_flow, deep_json, deep_block, own, two_documents] {
            assert!(read(text.as_bytes()).is_err(), "{}", &text[..40.min(text.len())]);
        }
        assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    }

    #[test]
    fn many_tiny_values_are_refused() {
        let text = format!("{{\"a\":[{}0]}}", "0,".repeat(NODES_MAX));
        assert!(read(text.as_bytes()).unwrap_err().contains("too many values"));
    }

    #[test]
    fn numbers_beyond_machine_range_do_not_panic() {
        assert!(read(b"{\"a\":123456789012345678901234567890, \"b\":-1e400}").is_err());
        assert!(read(b"{\"a\":123456789012345678901234567890}").is_ok());
        assert!(read(b"a: 123456789012345678901234567890\n").is_ok());
    }
}
