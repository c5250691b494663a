//! `Secret` says which parts of a value are secret, by the schemas that describe it: what is marked
//! `format: password` or `x-funcatron-secret: true`.

mod leaves;
mod marks;
mod pairs;
mod places;
mod search;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::media;
use marks::Graph;
pub(crate) use marks::Marks;
use search::Names;

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
    /// What it says: each text and number in it, and what stands there for it where that is not the same.
    pub texts: Vec<String>,
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
            Some(graph) if graph.leads(self.index) => {
                search::of_json(graph, graph.applied([self.index]), body)
            }
            _ => Secrets::None,
        }
    }

    /// Where the secrets are in a form, sent as pairs.
    pub(crate) fn of_form(&self, body: &[u8]) -> Secrets {
        match self.graph() {
            Some(graph) if graph.leads(self.index) => {
                pairs::of_form(body, |name| graph.is_secret_member(self.index, name))
            }
            _ => Secrets::None,
        }
    }
}

impl Secrets {
    /// Where the secrets are in a body of which no schema is known, if members of that name are. Looked at are JSON,
    /// whatever it is said to be, and forms.
    pub fn named(content_type: &str, body: &[u8], is_secret: impl Fn(&str) -> bool) -> Secrets {
        if leaves::starts_as_json(body) {
            match search::of_json_lines(&Names(is_secret), &false, body) {
                // It may be something else that begins alike.
                Secrets::Somewhere if !media::is_json(content_type) && !media::is_form(content_type) => {
                    Secrets::None
                }
                secrets => secrets,
            }
        } else if media::is_form(content_type) {
            pairs::of_pairs(body, is_secret)
        } else {
            Secrets::None
        }
    }
}

/// Where the secrets are in a form whose secret fields are those.
pub(crate) fn of_form(body: &[u8], is_secret: impl Fn(&str) -> bool) -> Secrets {
    pairs::of_form(body, is_secret)
}

/// Where the secrets are in a query whose secret members are those.
pub(crate) fn of_query(query: &str, is_secret: impl Fn(&str) -> bool) -> Secrets {
    pairs::of_pairs(query.as_bytes(), is_secret)
}
