//! `Span`: a part of what was done for a request, from when until when.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::Context;

/// A part of what was done for a request.
#[derive(Clone, Debug)]
pub struct Span {
    /// Where it belongs.
    pub context: Context,
    /// What it is a part of; none of the first span of a trace.
    pub parent: Option<Context>,
    /// What was done. Of few kinds, so that traces can be compared.
    pub name: String,
    /// What part it had in it.
    pub kind: SpanKind,
    /// When that began and ended, in nanoseconds since the epoch.
    pub began: u64,
    /// See above.
    pub ended: u64,
    /// What else there is to know, by the names of OpenTelemetry's conventions.
    pub attributes: Vec<(&'static str, Value)>,
    /// Whether it failed.
    pub is_error: bool,
}

/// What part somebody had in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// It was done here.
    Internal,
    /// It was asked for over the network.
    Server,
    /// It was asked of somebody else.
    Client,
    /// It was taken from a queue.
    Consumer,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

impl Span {
    /// A part of `parent` that begins now.
    pub fn begin(parent: Context, name: impl Into<String>, kind: SpanKind) -> Self {
        let began = now();
        let (context, parent) = (parent.child(), Some(parent));
        Self {
            context,
            parent,
            name: name.into(),
            kind,
            began,
            ended: began,
            attributes: Vec::new(),
            is_error: false,
        }
    }

    /// The same with one more attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// Nanoseconds since the epoch.
pub fn now() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}
