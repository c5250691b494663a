//! `Span`: a part of what was done for a request, from when until when.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::Context;

/// The longest text of a span, in bytes: clients choose some, and thousands of spans wait.
const TEXT_MAX: usize = 1 << 10;

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

    /// Shortens what is too long.
    pub(crate) fn clip(&mut self) {
        let texts = self.attributes.iter_mut().filter_map(|(_, value)| match value {
            Value::Text(text) => Some(text),
            Value::Number(_) => None,
        });
        for text in texts.chain([&mut self.name]).filter(|text| text.len() > TEXT_MAX) {
            text.truncate(text.floor_char_boundary(TEXT_MAX));
            text.shrink_to_fit();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_choose_is_kept_up_to_a_kibibyte() {
        let mut span = Span::begin(Context::root(), "é".repeat(4_000), SpanKind::Server)
            .with("url.path", format!("/{}", "é".repeat(4_000)))
            .with("http.response.status_code", 200_u16);
        span.clip();
        let Value::Text(path) = &span.attributes[0].1 else { panic!() };
        assert_eq!((span.name.len(), path.len(), path.capacity()), (1_024, 1_023, 1_023));
    }
}
