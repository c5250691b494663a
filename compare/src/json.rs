//! Compares JSON member by member, as the document describes it.

use serde_json::{Map, Value};
use swagger::Part;

use crate::difference::{Found, pointer};
use crate::format::Format;
use crate::redacted::Redacted;
use crate::secrecy::Secrecy;
use crate::{Place, Step};

/// Whether both may differ as they do: the document says that such values are never the same.
pub(crate) fn is_volatile(part: &Part<'_>, expected: &Value, actual: &Value) -> bool {
    let mut formats = part.formats().filter_map(Format::named);
    let fits = |format: Format, value: &Value| value.as_str().is_some_and(|text| format.fits(text));
    if part.is("readOnly") || part.is("x-funcatron-volatile") {
        let is_alike = formats.all(|format| fits(format, expected) == fits(format, actual));
        return kind(expected) == kind(actual) && is_alike;
    }
    formats.any(|format| fits(format, expected) && fits(format, actual))
}

/// The type of a value, as JSON tells them apart.
fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

/// On the way through two values. A reader of JSON allows no more depth than this may recur.
pub(crate) struct Walk<'w, 'n> {
    steps: Vec<Step>,
    redacted: Redacted<'w>,
    secrecy: &'w Secrecy,
    found: &'w mut Found<'n>,
}

impl<'w, 'n> Walk<'w, 'n> {
    pub(crate) fn new(redacted: Redacted<'w>, secrecy: &'w Secrecy, found: &'w mut Found<'n>) -> Self {
        Self { steps: Vec::new(), redacted, secrecy, found }
    }

    /// Finds where the second value is not the first.
    pub(crate) fn values(&mut self, part: Option<&Part<'_>>, expected: &Value, actual: &Value) {
        let is_settled = expected == actual || self.redacted.covers_value(&self.steps, expected, actual);
        if is_settled || part.is_some_and(|part| is_volatile(part, expected, actual)) || self.found.is_full()
        {
            return;
        }
        if self.secrecy.is_any() && self.secrecy.is_whole(&pointer(&self.steps)) {
            return self.found.secret(Place::Body(self.steps.clone()));
        }
        match (expected, actual) {
            (Value::Object(expected), Value::Object(actual)) => self.members(part, expected, actual),
            (Value::Array(expected), Value::Array(actual)) => self.items(part, expected, actual),
            _ => self.differ(Some(expected), Some(actual)),
        }
    }

    fn differ(&mut self, expected: Option<&Value>, actual: Option<&Value>) {
        let (secrecy, steps) = (self.secrecy, &self.steps);
        let tells = |value: &Value| match value {
            Value::String(text) => secrecy.is_told_by(text),
            other => secrecy.is_told_by(&other.to_string()),
        };
        self.found.values(steps, expected, actual, || {
            secrecy.is_any()
                && (secrecy.touches(&pointer(steps)) || expected.into_iter().chain(actual).any(tells))
        });
    }

    fn members(
        &mut self,
        part: Option<&Part<'_>>,
        expected: &Map<String, Value>,
        actual: &Map<String, Value>,
    ) {
        let new = actual.keys().filter(|name| !expected.contains_key(*name));
        for name in expected.keys().chain(new) {
            let (was, is) = (expected.get(name), actual.get(name));
            if was != is {
                let part = || part.map(|part| part.member(name));
                self.step(Step::Member(name.clone()), part, was, is);
            }
        }
    }

    fn items(&mut self, part: Option<&Part<'_>>, expected: &[Value], actual: &[Value]) {
        for index in 0..expected.len().max(actual.len()) {
            let (was, is) = (expected.get(index), actual.get(index));
            if was != is {
                self.step(Step::Item(index), || part.map(|part| part.item(index)), was, is);
            }
        }
    }

    fn step<'d>(
        &mut self,
        step: Step,
        part: impl FnOnce() -> Option<Part<'d>>,
        was: Option<&Value>,
        is: Option<&Value>,
    ) {
        self.steps.push(step);
        match (was, is) {
            (Some(was), Some(is)) => self.values(part().as_ref(), was, is),
            _ => self.differ(was, is),
        }
        self.steps.pop();
    }
}
