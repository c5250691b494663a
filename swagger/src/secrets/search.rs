//! `Search` finds the secrets of a body of JSON in one pass over its bytes.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::{
    Secrets,
    leaves::{leaves, texts},
    marks::Graph,
    places::{Places, TooMany},
};
use crate::node;

/// Knows which values are secret.
pub(super) trait Guide {
    /// What is known of one value.
    type Known;

    /// Whether there may be a secret in it.
    fn leads(&self, known: &Self::Known) -> bool;

    /// Whether it is secret.
    fn is_secret(&self, known: &Self::Known) -> bool;

    /// What is known of its members, and of its items.
    fn member(&self, known: &Self::Known, name: &str) -> Self::Known;
    fn item(&self, known: &Self::Known, at: usize) -> Self::Known;

    /// Whether the texts and numbers in a secret value are secret one by one. Then it keeps its shape.
    const BY_LEAF: bool;
}

/// Goes by the schemas of a value.
impl Guide for Graph {
    type Known = Vec<usize>;
    const BY_LEAF: bool = false;

    fn leads(&self, applied: &Vec<usize>) -> bool {
        !applied.is_empty()
    }

    fn is_secret(&self, applied: &Vec<usize>) -> bool {
        Graph::is_secret(self, applied)
    }

    fn member(&self, applied: &Vec<usize>, name: &str) -> Vec<usize> {
        Graph::member(self, applied, name)
    }

    fn item(&self, applied: &Vec<usize>, at: usize) -> Vec<usize> {
        Graph::item(self, applied, at)
    }
}

/// Goes by the names of members, where no schema is known.
pub(super) struct Names<F>(pub(super) F);

impl<F: Fn(&str) -> bool> Guide for Names<F> {
    /// Whether its name is that of a secret.
    type Known = bool;
    const BY_LEAF: bool = true;

    fn leads(&self, _: &bool) -> bool {
        true
    }

    fn is_secret(&self, known: &bool) -> bool {
        *known
    }

    fn member(&self, _: &bool, name: &str) -> bool {
        self.0(name)
    }

    fn item(&self, _: &bool, _: usize) -> bool {
        false
    }
}

/// Where the secrets are in a value of JSON of which this is known; `Somewhere` if it is none, or nests too deep to be
/// looked at.
pub(super) fn of_json<G: Guide>(guide: &G, known: G::Known, body: &[u8]) -> Secrets {
    found(guide, body, |json, search| {
        Part { search, known }.deserialize(&mut *json)?;
        json.end()
    })
}

/// The same for values that follow one another.
pub(super) fn of_json_lines<G: Guide<Known: Clone>>(guide: &G, known: &G::Known, body: &[u8]) -> Secrets {
    found(guide, body, |json, search| {
        while json.end().is_err() {
            Part { search: &mut *search, known: known.clone() }.deserialize(&mut *json)?;
        }
        Ok(())
    })
}

type Json<'de> = serde_json::Deserializer<serde_json::de::StrRead<'de>>;

fn found<'a, G: Guide>(
    guide: &'a G,
    body: &'a [u8],
    look: impl FnOnce(&mut Json<'a>, &mut Search<'a, G>) -> serde_json::Result<()>,
) -> Secrets {
    let Ok(text) = std::str::from_utf8(body) else { return Secrets::Somewhere };
    let mut search = Search { guide, text, places: Places::default(), pointer: String::new() };
    match look(&mut serde_json::Deserializer::from_str(text), &mut search) {
        Ok(()) => search.places.values(),
        Err(_unreadable) => Secrets::Somewhere,
    }
}

struct Search<'a, G> {
    guide: &'a G,
    text: &'a str,
    places: Places,
    /// Leads to the value that is looked at.
    pointer: String,
}

impl<G: Guide> Search<'_, G> {
    /// Notes a secret value, which is a part of the text.
    fn take(&mut self, value: &str) -> Result<(), TooMany> {
        let start = value.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        let leaves = leaves(value).into_iter();
        if G::BY_LEAF {
            return leaves.map(|leaf| (texts(&value[leaf.clone()]), leaf)).try_for_each(|(texts, leaf)| {
                let bytes = start + leaf.start..start + leaf.end;
                if texts.is_empty() { Ok(()) } else { self.places.add(bytes, texts, &self.pointer) }
            });
        }
        // What there is none of is no secret.
        if value == "null" {
            return Ok(());
        }
        let texts = leaves.flat_map(|leaf| texts(&value[leaf])).collect();
        self.places.add(start..start + value.len(), texts, &self.pointer)
    }
}

/// A value that is looked at. The parser sees to it that none is inside of too many others.
struct Part<'s, 'a, G: Guide> {
    search: &'s mut Search<'a, G>,
    known: G::Known,
}

impl<'de, G: Guide> DeserializeSeed<'de> for Part<'_, '_, G> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let guide = self.search.guide;
        if !guide.leads(&self.known) {
            return IgnoredAny::deserialize(deserializer).map(drop);
        }
        if guide.is_secret(&self.known) {
            let value = <&RawValue>::deserialize(deserializer)?.get();
            return self.search.take(value).map_err(|TooMany| D::Error::custom("too many secrets"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de, G: Guide> Visitor<'de> for Part<'_, '_, G> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Part { search, known } = self;
        while let Some(name) = map.next_key::<String>()? {
            let known = search.guide.member(&known, &name);
            let above = search.pointer.len();
            node::push(&mut search.pointer, &name);
            map.next_value_seed(Part { search: &mut *search, known })?;
            search.pointer.truncate(above);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Part { search, known } = self;
        let above = search.pointer.len();
        for at in 0_usize.. {
            node::push(&mut search.pointer, &at.to_string());
            let known = search.guide.item(&known, at);
            let item = items.next_element_seed(Part { search: &mut *search, known })?;
            search.pointer.truncate(above);
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
