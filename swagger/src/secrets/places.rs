//! Finds where in the bytes of a body its secrets stand, so that all others can stay as they are.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{SecretPlace, Secrets, marks::Graph};
use crate::{node, percent};

/// Where the secrets are in a value of JSON of this schema.
pub(super) fn of_json(graph: &Graph, schema: usize, body: &[u8]) -> Secrets {
    let Ok(text) = std::str::from_utf8(body) else { return Secrets::Somewhere };
    let Ok(value) = serde_json::from_str::<&RawValue>(text) else { return Secrets::Somewhere };
    let mut search = Search { graph, text, found: Vec::new() };
    match search.value(value, &graph.applied([schema]), String::new()) {
        Some(()) => Secrets::Values(search.found),
        None => Secrets::Somewhere,
    }
}

/// Where the secrets are in a form.
pub(super) fn of_form(body: &[u8], is_secret: impl Fn(&str) -> bool) -> Secrets {
    let Ok(text) = std::str::from_utf8(body) else { return Secrets::Somewhere };
    let mut found = Vec::new();
    let mut start = 0;
    for pair in text.split('&') {
        let end = start + pair.len();
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(name) = percent::decode_form(name) else { return Secrets::Somewhere };
        if !value.is_empty() && is_secret(&name) {
            found.push(SecretPlace {
                bytes: end - value.len()..end,
                text: percent::decode_form(value).map(Cow::into_owned),
                pointer: node::join("", &name),
            });
        }
        start = end + 1;
    }
    Secrets::Fields(found)
}

struct Search<'a> {
    graph: &'a Graph,
    text: &'a str,
    found: Vec<SecretPlace>,
}

impl<'a> Search<'a> {
    /// Looks at a value that has these schemas; nothing when it cannot be read.
    fn value(&mut self, value: &'a RawValue, applied: &[usize], pointer: String) -> Option<()> {
        let text = value.get();
        if applied.is_empty() {
            return Some(());
        }
        if self.graph.is_secret(applied) {
            // What there is none of is no secret.
            if text != "null" {
                let start = text.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
                let bytes = start..start + text.len();
                self.found.push(SecretPlace { bytes, text: serde_json::from_str(text).ok(), pointer });
            }
            return Some(());
        }
        match text.as_bytes().first()? {
            b'{' => {
                let Members(members) = serde_json::from_str(text).ok()?;
                for (name, member) in members {
                    let applied = self.graph.member(applied, &name);
                    self.value(member, &applied, node::join(&pointer, &name))?;
                }
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                for (at, item) in items.into_iter().enumerate() {
                    self.value(item, &self.graph.item(applied, at), format!("{pointer}/{at}"))?;
                }
            }
            _ => {}
        }
        Some(())
    }
}

/// The members of an object as they stand there, the same name twice if need be.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
