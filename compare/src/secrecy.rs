//! `Secrecy`: which parts of two bodies are secret, so that nobody is told what they say.

use swagger::{Operation, SecretPlace, Secrets};
use wire::{Answer, Body};

use crate::headers;

/// A shorter text stands in many places and gives nothing away.
const LEN_MIN: usize = 4;

/// Which parts of two bodies are secret.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrecy {
    /// These values of JSON, by their pointers.
    pointers: Vec<String>,
    /// What they say, which may stand elsewhere as well.
    texts: Vec<String>,
    /// Something of which nobody can tell where it is.
    is_somewhere: bool,
}

impl Secrecy {
    /// What the document says of both.
    pub(crate) fn of(operation: &Operation, expected: &Answer, actual: &Answer) -> Self {
        let mut secrecy = Self::default();
        for answer in [expected, actual] {
            let bytes = match &answer.body {
                Body::Inline(bytes) => Some(&**bytes),
                Body::Stored(_) => None,
            };
            let content_type = headers::content_type(&answer.headers);
            match operation.response_secrets(answer.status, content_type, bytes) {
                Secrets::None => {}
                Secrets::Values(places) => places.into_iter().for_each(|place| secrecy.add(place)),
                Secrets::Fields(places) => secrecy.is_somewhere |= !places.is_empty(),
                Secrets::Somewhere => secrecy.is_somewhere = true,
            }
        }
        secrecy
    }

    fn add(&mut self, place: SecretPlace) {
        self.pointers.push(place.pointer);
        self.texts.extend(place.texts.into_iter().filter(|text| text.len() >= LEN_MIN));
    }

    /// Whether a text says something that is secret.
    pub(crate) fn is_told_by(&self, text: &str) -> bool {
        self.texts.iter().any(|secret| text.contains(secret.as_str()))
    }

    /// Whether anything is secret.
    pub(crate) fn is_any(&self) -> bool {
        self.is_somewhere || !self.pointers.is_empty()
    }

    /// Whether the value at this pointer is secret as a whole.
    pub(crate) fn is_whole(&self, pointer: &str) -> bool {
        self.is_somewhere || self.pointers.iter().any(|secret| secret == pointer)
    }

    /// Whether the value at this pointer is secret or has a secret in it.
    pub(crate) fn touches(&self, pointer: &str) -> bool {
        let is_within = |secret: &String| {
            secret.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.is_somewhere || self.pointers.iter().any(is_within)
    }
}
