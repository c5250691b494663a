//! `Comparison`: judges the answers of one operation.

use std::cell::OnceCell;

use swagger::{Document, Operation};
use wire::Answer;
use wire::capture::SECRET_HEADERS;

use crate::difference::Found;
use crate::noise::Places;
use crate::redacted::Redacted;
use crate::secrecy::Secrecy;
use crate::{Difference, Noise, Place, bodies, headers};

/// Judges the answers of one operation, as the document describes them.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'d> {
    document: &'d Document,
    operation: Option<&'d Operation>,
    redacted: Redacted<'d>,
    noise: Places<'d>,
}

impl<'d> Comparison<'d> {
    /// For answers of this operation; without one, the document says nothing about them.
    pub fn of(document: &'d Document, operation: Option<&'d Operation>) -> Self {
        Self { document, operation, redacted: Redacted::default(), noise: Places::default() }
    }

    /// For answers to a request of this method and path, which is relative to the base path of the document.
    pub fn of_request(document: &'d Document, method: &str, path: &str) -> Self {
        Self::of(document, document.operation(method, path))
    }

    /// The same, where something was taken out of the first answer in these places: `answer.body/token`, as an entry of
    /// a capture tells them.
    #[must_use]
    pub fn redacted(self, places: &'d [String]) -> Self {
        Self { redacted: Redacted::of(places), ..self }
    }

    /// The same, without what differs anyway in answers of the operation that goes by this name.
    #[must_use]
    pub fn without(self, noise: &'d Noise, operation: Option<&str>) -> Self {
        Self { noise: noise.of(operation), ..self }
    }

    /// The `operationId`, if there is an operation.
    pub fn operation(&self) -> Option<&'d str> {
        self.operation.map(Operation::id)
    }

    /// Where the second answer is not the first: in its status; if that is the same, in some of its headers and in its
    /// body. What the document calls volatile is compared by its shape, what was redacted not at all. Of what is
    /// secret only the place is told.
    pub fn differences(&self, expected: &Answer, actual: &Answer) -> Vec<Difference> {
        let mut found = Found::passing_over(self.noise);
        if expected.status != actual.status {
            found.texts(Place::Status, Some(&expected.status), Some(&actual.status));
            return found.into_differences();
        }
        let described = self
            .operation
            .map(|operation| self.document.response_headers(operation, expected.status).collect::<Vec<_>>());
        let sides =
            headers::Sides { expected: &expected.headers, actual: &actual.headers, redacted: self.redacted };
        // Read only where something differs.
        let secrecy = OnceCell::new();
        let secrecy = || {
            let of = |operation| Secrecy::of(operation, expected, actual);
            secrecy.get_or_init(|| self.operation.map(of).unwrap_or_default())
        };
        let is_secret = |name: &str, text: &str| {
            self.is_secret_header(expected.status, name) || secrecy().is_told_by(text)
        };
        headers::compare(&described.unwrap_or_default(), &sides, is_secret, &mut found);
        if expected.body == actual.body {
            return found.into_differences();
        }
        let content_type = headers::content_type(&expected.headers);
        let part = self
            .operation
            .map(|operation| self.document.response_body(operation, expected.status, content_type));
        let sides = bodies::Sides {
            content_type,
            expected: &expected.body,
            actual: &actual.body,
            redacted: self.redacted,
            secrecy: secrecy(),
        };
        bodies::compare(part.as_ref(), &sides, &mut found);
        found.into_differences()
    }

    fn is_secret_header(&self, status: u16, name: &str) -> bool {
        SECRET_HEADERS.contains(&name)
            || self.document.is_api_key_header(name)
            || self.operation.is_some_and(|operation| operation.is_secret_response_header(status, name))
    }
}
