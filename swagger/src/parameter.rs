//! `Parameter` is one documented parameter, and how to read it from a request.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    Fault, Location,
    node::join,
    percent,
    schema::{Schema, Shape},
    secrets::Secret,
    style::{self, Encoding, Style},
};

/// A documented parameter or response header.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) allow_empty: bool,
    pub(crate) style: Style,
    pub(crate) shape: Shape,
    pub(crate) schema: Option<Schema>,
    pub(crate) default: Option<Value>,
    pub(crate) secret: Secret,
}

impl Parameter {
    /// Whether it is secret, or anything in it.
    pub(crate) fn is_secret(&self) -> bool {
        self.secret.is_somewhere()
    }

    /// Whether the value of this name, in a query or a form, is the parameter or a part of it.
    pub(crate) fn is_found_under(&self, name: &str) -> bool {
        match self.style {
            Style::DeepObject => {
                name.strip_prefix(self.name.as_str()).is_some_and(|rest| rest.starts_with('['))
            }
            Style::Form { explode: true } if self.shape.object => self.shape.properties.contains_key(name),
            _ => self.name == name,
        }
    }

    /// Reads and checks the value of one raw text.
    pub(crate) fn read(&self, raw: &str, encoding: Encoding, faults: &mut Vec<Fault>) -> Option<Value> {
        match self.style.value(&self.name, raw, &self.shape, encoding) {
            Ok(value) => self.checked(value, raw.len(), faults),
            Err(reason) => {
                faults.push(self.fault(reason));
                None
            }
        }
    }

    /// What stands for an absent value: the default, or a fault when one is required.
    pub(crate) fn absent(&self, faults: &mut Vec<Fault>) -> Option<Value> {
        if self.required {
            faults.push(self.fault("is required"));
            return None;
        }
        self.default.clone()
    }

    pub(crate) fn checked(&self, value: Value, bytes: usize, faults: &mut Vec<Fault>) -> Option<Value> {
        let Some(schema) = &self.schema else { return Some(value) };
        match schema.check(&value, bytes) {
            Ok(()) => Some(value),
            Err(mistakes) => {
                let base = join("", &self.name);
                faults.extend(mistakes.into_iter().map(|mistake| {
                    Fault::new(self.location, format!("{base}{}", mistake.pointer), mistake.reason)
                }));
                None
            }
        }
    }

    pub(crate) fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault::new(self.location, join("", &self.name), reason)
    }

    /// Finds the parameter among the pairs of a query, a form or a cookie.
    pub(crate) fn find(&self, pairs: &Pairs<'_>, faults: &mut Vec<Fault>) -> Option<Value> {
        match self.style {
            Style::DeepObject => self.find_deep(pairs, faults),
            Style::Form { explode: true } if self.shape.array => self.find_repeated(pairs, faults),
            Style::Form { explode: true } if self.shape.object => self.find_spread(pairs, faults),
            _ => self.find_single(pairs, faults),
        }
    }

    fn find_single(&self, pairs: &Pairs<'_>, faults: &mut Vec<Fault>) -> Option<Value> {
        let mut values = pairs.named(&self.name);
        let Some(raw) = values.next() else { return self.absent(faults) };
        if values.next().is_some() {
            faults.push(self.fault("is given more than once"));
            return None;
        }
        if raw.is_empty() && self.allow_empty {
            return Some(Value::from(""));
        }
        self.read(raw, pairs.encoding, faults)
    }

    fn find_repeated(&self, pairs: &Pairs<'_>, faults: &mut Vec<Fault>) -> Option<Value> {
        let mut bytes = 0;
        let items: Result<Vec<Value>, String> = pairs
            .named(&self.name)
            .map(|raw| {
                bytes += raw.len();
                style::scalar(raw, self.shape.item(), pairs.encoding)
            })
            .collect();
        match items {
            Ok(items) if items.is_empty() => self.absent(faults),
            Ok(items) => self.checked(Value::Array(items), bytes, faults),
            Err(reason) => {
                faults.push(self.fault(reason));
                None
            }
        }
    }

    /// An exploded object: its properties stand in the query under their own names.
    fn find_spread(&self, pairs: &Pairs<'_>, faults: &mut Vec<Fault>) -> Option<Value> {
        let mut object = Map::new();
        let mut bytes = 0;
        for (name, shape) in &self.shape.properties {
            if let Some(raw) = pairs.named(name).next() {
                bytes += raw.len();
                self.put(&mut object, name, style::scalar(raw, shape, pairs.encoding), faults);
            }
        }
        if object.is_empty() {
            self.absent(faults)
        } else {
            self.checked(Value::Object(object), bytes, faults)
        }
    }

    /// `name[key]=value`, one level deep, as OpenAPI defines it; repeated keys make an array.
    fn find_deep(&self, pairs: &Pairs<'_>, faults: &mut Vec<Fault>) -> Option<Value> {
        let mut object = Map::new();
        let mut bytes = 0;
        for (key, raw) in pairs.all() {
            let rest = key.strip_prefix(self.name.as_str());
            let Some(inner) =
                rest.and_then(|rest| rest.strip_prefix('[')).and_then(|rest| rest.strip_suffix(']'))
            else {
                continue;
            };
            bytes += raw.len();
            let shape = self.shape.property(inner);
            if shape.array {
                let item = style::scalar(raw, shape.item(), pairs.encoding);
                self.push(&mut object, inner, item, faults);
            } else {
                self.put(&mut object, inner, style::scalar(raw, shape, pairs.encoding), faults);
            }
        }
        if object.is_empty() {
            self.absent(faults)
        } else {
            self.checked(Value::Object(object), bytes, faults)
        }
    }

    fn put(
        &self,
        object: &mut Map<String, Value>,
        key: &str,
        value: Result<Value, String>,
        faults: &mut Vec<Fault>,
    ) {
        match value {
            Ok(value) => drop(object.insert(key.to_owned(), value)),
            Err(reason) => faults.push(self.fault(reason)),
        }
    }

    fn push(
        &self,
        object: &mut Map<String, Value>,
        key: &str,
        item: Result<Value, String>,
        faults: &mut Vec<Fault>,
    ) {
        let list = object.entry(key).or_insert_with(|| Value::Array(Vec::new()));
        match (list, item) {
            (Value::Array(items), Ok(item)) => items.push(item),
            (_, Err(reason)) => faults.push(self.fault(reason)),
            _ => {}
        }
    }
}

/// Pairs allowed in a query or form: more than any client sends, few enough to search through.
const PAIRS_MAX: usize = 1_000;

/// The pairs of a query, a form body or the cookies: names decoded, values raw.
pub(crate) struct Pairs<'q> {
    pairs: Vec<(Cow<'q, str>, &'q str)>,
    pub(crate) encoding: Encoding,
}

impl<'q> Pairs<'q> {
    /// Splits `a=1&b=2`, from a query or a form.
    pub(crate) fn query(text: &'q str) -> Result<Pairs<'q>, String> {
        let mut pairs = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            if pairs.len() == PAIRS_MAX {
                return Err(format!("has more than {PAIRS_MAX} pairs"));
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = percent::decode_form(name).ok_or("has a bad percent escape in a name")?;
            pairs.push((name, value));
        }
        Ok(Pairs { pairs, encoding: Encoding::Form })
    }

    /// Splits `a=1; b=2`; names of cookies are not encoded.
    pub(crate) fn cookies(headers: &'q [(String, String)]) -> Pairs<'q> {
        let cookies = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        let pairs = cookies.flat_map(|(_, value)| value.split(';')).take(PAIRS_MAX).filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            Some((name.into(), value))
        });
        Pairs { pairs: pairs.collect(), encoding: Encoding::Percent }
    }

    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'q str> + 'a {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| *value)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &'q str)> {
        self.pairs.iter().map(|(key, value)| (&**key, *value))
    }
}
