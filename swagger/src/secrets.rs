//! `Secret` says which parts of a value are secret, by the schemas that describe it: what is marked
//! `format: password` or `x-funcatron-secret: true`.

mod marks;
mod places;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use marks::Graph;
pub(crate) use marks::Marks;

/// Where secrets stand in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Nowhere.
    None,
    /// In these values of JSON, in their order.
    Values(Vec<SecretPlace>),
    /// In the values of these fields of a form or query, in their order.
    Fields(Vec<SecretPlace>),
    /// In it, and nobody can tell where.
    Somewhere,
}

/// Where one secret stands in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPlace {
    /// Its bytes: a whole value of JSON, or the value of a field as it is encoded.
    pub bytes: Range<usize>,
    /// What it says, if it is text.
    pub text: Option<String>,
    /// The JSON pointer that leads to it.
    pub pointer: String,
}

/// What is secret of the values of one schema, or parameter. Usable once the document is complete.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secret {
    /// Absent where the document marks nothing.
    graph: Option<Arc<OnceLock<Graph>>>,
    index: usize,
}

impl Secret {
    fn graph(&self) -> Option<&Graph> {
        self.graph.as_ref()?.get()
    }

    /// Whether there is any secret in such values.
    pub(crate) fn is_somewhere(&self) -> bool {
        self.graph().is_some_and(|graph| graph.leads(self.index))
    }

    /// Where the secrets are in a value of JSON.
    pub(crate) fn of_json(&self, body: &[u8]) -> Secrets {
        match self.graph() {
            Some(graph) if graph.leads(self.index) => places::of_json(graph, self.index, body),
            _ => Secrets::None,
        }
    }

    /// Where the secrets are in a form, sent as pairs.
    pub(crate) fn of_form(&self, body: &[u8]) -> Secrets {
        match self.graph() {
            Some(graph) if graph.leads(self.index) => {
                places::of_form(body, |name| graph.is_secret_member(self.index, name))
            }
            _ => Secrets::None,
        }
    }
}

/// Where the secrets are in a form, or query, whose secret fields are those.
pub(crate) fn of_fields(body: &[u8], is_secret: impl Fn(&str) -> bool) -> Secrets {
    places::of_form(body, is_secret)
}
