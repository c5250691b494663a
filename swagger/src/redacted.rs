//! `Redacted` excuses what is at fault in a request only because something was taken out of it.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    Fault, Location, Payload, Request,
    parameter::{Pairs, Parameter},
    percent,
};

/// A request out of which something was taken.
pub(crate) struct Redacted<'r> {
    /// Stands where something was taken out.
    pub(crate) mark: &'r str,
    pub(crate) request: &'r Request<'r>,
    /// The path parameters, and what stands in their places.
    pub(crate) path: &'r [Parameter],
    pub(crate) captures: &'r [Cow<'r, str>],
}

impl Redacted<'_> {
    /// Whether it had credentials that are not there any more: which, nobody can tell.
    pub(crate) fn had_credentials(&self) -> bool {
        self.request.headers.iter().any(|(_, value)| value.contains(self.mark))
    }

    /// Whether what is at fault is not what the client has sent.
    pub(crate) fn excuses(&self, fault: &Fault) -> bool {
        let name = fault.pointer.strip_prefix('/').unwrap_or(&fault.pointer);
        // Of a list or an object, any part will do.
        let name = name.split('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        match fault.location {
            Location::Path => {
                let mut places = self.path.iter().zip(self.captures);
                places.any(|(parameter, raw)| parameter.name == name && self.marks_encoded(raw))
            }
            Location::Query => self.marks_member(self.request.query, &name),
            Location::Header => self.request.header(&name).is_some_and(|value| value.contains(self.mark)),
            Location::Cookie => self.request.header("cookie").is_some_and(|value| value.contains(self.mark)),
            Location::Body => self.marks_body(&fault.pointer, &name),
            Location::Response | Location::Document => false,
        }
    }

    fn marks_body(&self, pointer: &str, name: &str) -> bool {
        let Payload::Whole(body) = self.request.body else { return false };
        let Ok(text) = std::str::from_utf8(body) else { return false };
        if !text.contains(self.mark) && !self.marks_encoded(text) {
            return false;
        }
        match serde_json::from_str::<Value>(text) {
            Ok(value) => {
                value.pointer(pointer).and_then(Value::as_str).is_some_and(|text| text.contains(self.mark))
            }
            // All of it was taken out, or a part of a form.
            Err(_not_json) => text == self.mark || self.marks_member(text, name),
        }
    }

    fn marks_member(&self, query: &str, name: &str) -> bool {
        Pairs::query(query).is_ok_and(|pairs| {
            pairs.all().any(|(own, value)| own.split('[').next() == Some(name) && self.marks_encoded(value))
        })
    }

    fn marks_encoded(&self, text: &str) -> bool {
        percent::decode(text).is_some_and(|text| text.contains(self.mark))
    }
}
