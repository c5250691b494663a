//! `Table` holds the compiled schemas of a document; `Schema` is one row of it, ready to judge values.

use std::sync::{Arc, OnceLock};

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;

use super::link::{self, Visits};

/// Mistakes reported for one value.
const MISTAKES_MAX: usize = 50;
/// A reason longer than this repeats the document rather than explains.
const REASON_CHARS_MAX: usize = 300;
/// Separates pointer and reason in what a link hands up; no pointer of text that JSON carries unescaped has it.
const SEPARATOR: char = '\u{1f}';

/// The compiled schemas; filled once when the document is complete.
#[derive(Debug, Default)]
pub(crate) struct Table(OnceLock<Vec<Compiled>>);

/// One compiled schema.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) validator: Validator,
    /// Reaches itself without going into a part of the value.
    pub(crate) circular: bool,
}

impl Table {
    pub(crate) fn fill(&self, compiled: Vec<Compiled>) {
        // A table is filled by the one reader that made it; a second filling would change nothing.
        let _ = self.0.set(compiled);
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Compiled> {
        self.0.get()?.get(index)
    }
}

/// One schema of the table.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    table: Arc<Table>,
    index: usize,
    /// Where it stands in the document.
    pointer: Arc<str>,
}

/// What is wrong with a value, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) pointer: String,
    pub(crate) reason: String,
}

impl Schema {
    pub(crate) fn new(table: Arc<Table>, index: usize, pointer: Arc<str>) -> Schema {
        Schema { table, index, pointer }
    }

    pub(crate) fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Checks a value; `value_bytes` is how much text it came from, which bounds the work.
    pub(crate) fn check(&self, value: &Value, value_bytes: usize) -> Result<(), Vec<Mistake>> {
        let Some(compiled) = self.table.get(self.index) else { return Ok(()) };
        let (valid, within) =
            link::scope(Visits::for_bytes(value_bytes), || compiled.validator.is_valid(value));
        if !within {
            return Err(vec![too_much_work()]);
        }
        if valid {
            return Ok(());
        }
        let (mistakes, _) =
            link::scope(Visits::for_bytes(value_bytes), || mistakes(&compiled.validator, value));
        Err(mistakes)
    }
}

fn too_much_work() -> Mistake {
    Mistake {
        pointer: String::new(),
        reason: "the value takes too much work to check against its schema".to_owned(),
    }
}

/// Every mistake of a value, in the order of the schema.
pub(crate) fn mistakes(validator: &Validator, value: &Value) -> Vec<Mistake> {
    let mut found = Vec::new();
    for error in validator.iter_errors(value).take(MISTAKES_MAX) {
        let mistake = mistake(&error);
        if !found.contains(&mistake) {
            found.push(mistake);
        }
    }
    found
}

fn mistake(error: &ValidationError<'_>) -> Mistake {
    let mut pointer = error.instance_path().to_string();
    let mut reason = match error.kind() {
        ValidationErrorKind::Custom { message, .. } => match message.split_once(SEPARATOR) {
            Some((inner, reason)) => {
                pointer.push_str(inner);
                reason.to_owned()
            }
            None => message.clone(),
        },
        _ => error.masked().to_string(),
    };
    if let Some((end, _)) = reason.char_indices().nth(REASON_CHARS_MAX) {
        reason.truncate(end);
        reason.push('…');
    }
    Mistake { pointer, reason }
}

/// Packs a mistake of a linked schema into the only thing a custom keyword can hand up: a message.
pub(crate) fn pack<'i>(mistake: &Mistake) -> ValidationError<'i> {
    ValidationError::custom(format!("{}{SEPARATOR}{}", mistake.pointer, mistake.reason))
}

#[cfg(test)]
mod tests {
    use crate::Document;

    /// A strong circle would keep every version of a document that is deployed again and again.
    #[test]
    fn dropped_document_frees_its_validators() {
        let text = r##"{"openapi":"3.0.0","info":{"title":"t","version":"1"},
            "components":{"schemas":{"T":{"properties":{"t":{"$ref":"#/components/schemas/T"}}}}},
            "paths":{"/x":{"get":{"operationId":"x","responses":{"200":{"description":"",
            "content":{"application/json":{"schema":{"$ref":"#/components/schemas/T"}}}}}}}}}"##;
        let document = Document::parse(text.as_bytes()).unwrap();
        let schema = document.operations()[0].responses[0].content.media[0].schema.as_ref().unwrap();
        let table = std::sync::Arc::downgrade(&schema.table);
        assert!(table.upgrade().is_some());
        drop(document);
        assert!(table.upgrade().is_none());
    }
}
