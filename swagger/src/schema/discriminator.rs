//! `Choice` is the keyword that lets one property of a value choose the schema for it.

use std::{collections::HashMap, sync::Weak};

use jsonschema::{Keyword, ValidationError};
use serde_json::Value;

use super::{
    link::Link,
    table::{self, Mistake, Table},
};

/// The keyword that lowering writes for a discriminator with alternatives.
pub(crate) const DISCRIMINATE: &str = "x-funcatron-discriminate";

/// The alternatives of a discriminator.
pub(crate) struct Choice {
    property: String,
    names: HashMap<String, usize>,
    branches: Vec<Link>,
}

impl Choice {
    /// Reads what lowering wrote.
    pub(crate) fn new(table: &Weak<Table>, written: &Value) -> Option<Choice> {
        let index = |value: &Value| value.as_u64().and_then(|index| usize::try_from(index).ok());
        let names = written.get("names")?.as_object()?;
        let links = written.get("links")?.as_array()?;
        Some(Choice {
            property: written.get("property")?.as_str()?.to_owned(),
            names: names.iter().filter_map(|(name, value)| Some((name.clone(), index(value)?))).collect(),
            branches: links.iter().filter_map(index).map(|index| Link::new(table.clone(), index)).collect(),
        })
    }

    fn branch(&self, value: &Value) -> Option<&Link> {
        let name = value.get(&self.property)?.as_str()?;
        self.branches.get(*self.names.get(name)?)
    }

    fn mistakes(&self, value: &Value) -> Vec<Mistake> {
        match self.branch(value) {
            Some(branch) => branch.mistakes(value),
            // A branch may itself be a choice and know names that this one does not.
            None if self.branches.iter().any(|branch| branch.accepts(value)) => Vec::new(),
            None => vec![self.no_branch(value)],
        }
    }

    fn no_branch(&self, value: &Value) -> Mistake {
        let mut names: Vec<&str> = self.names.keys().map(String::as_str).collect();
        names.sort_unstable();
        let names = names.join(", ");
        if value.get(&self.property).is_none() {
            let reason = format!("the property {:?} must say which schema applies: {names}", self.property);
            return Mistake { pointer: String::new(), reason };
        }
        let pointer = crate::node::join("", &self.property);
        Mistake { pointer, reason: format!("must be one of: {names}") }
    }
}

impl<'i> Keyword<'i> for Choice {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        match self.mistakes(value).first() {
            Some(mistake) => Err(table::pack(mistake)),
            None => Ok(()),
        }
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        match self.branch(value) {
            Some(branch) => branch.accepts(value),
            None => self.branches.iter().any(|branch| branch.accepts(value)),
        }
    }

    fn iter_errors(&self, value: &'i Value) -> Box<dyn Iterator<Item = ValidationError<'i>> + 'i> {
        Box::new(self.mistakes(value).into_iter().map(|mistake| table::pack(&mistake)))
    }
}
