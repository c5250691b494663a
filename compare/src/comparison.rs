//! `Comparison`: judges the answers of one operation.

use swagger::{Document, Operation};
use wire::Answer;

use crate::difference::Found;
use crate::{Difference, Place, bodies, headers};

/// Judges the answers of one operation, as the document describes them.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'d> {
    document: &'d Document,
    operation: Option<&'d Operation>,
}

impl<'d> Comparison<'d> {
    /// For answers of this operation; without one, the document says nothing about them.
    pub fn of(document: &'d Document, operation: Option<&'d Operation>) -> Self {
        Self { document, operation }
    }

    /// For answers to a request of this method and path, which is relative to the base path of the document.
    pub fn of_request(document: &'d Document, method: &str, path: &str) -> Self {
        Self::of(document, document.operation(method, path))
    }

    /// The `operationId`, if there is an operation.
    pub fn operation(&self) -> Option<&'d str> {
        self.operation.map(Operation::id)
    }

    /// Where the second answer is not the first: in its status; if that is the same, in some of its headers and in its
    /// body. What the document calls volatile is compared by its shape, what was redacted not at all.
    pub fn differences(&self, expected: &Answer, actual: &Answer) -> Vec<Difference> {
        let mut found = Found::default();
        if expected.status != actual.status {
            found.texts(Place::Status, Some(&expected.status), Some(&actual.status));
            return found.into_differences();
        }
        let described = self
            .operation
            .map(|operation| self.document.response_headers(operation, expected.status).collect::<Vec<_>>());
        headers::compare(&described.unwrap_or_default(), &expected.headers, &actual.headers, &mut found);
        let content_type = headers::content_type(&expected.headers);
        let part = self
            .operation
            .map(|operation| self.document.response_body(operation, expected.status, content_type));
        bodies::compare(part.as_ref(), content_type, &expected.body, &actual.body, &mut found);
        found.into_differences()
    }
}
