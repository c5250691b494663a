//! `Context`: the place of a call in a trace, as the W3C's `traceparent` carries it.

use std::fmt;
use std::str::FromStr;

/// The header that carries it.
pub const TRACEPARENT: &str = "traceparent";
/// The header that says more about it, in the words of whoever traces. Alone it says nothing.
pub const TRACESTATE: &str = "tracestate";

/// A span, and the trace that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) is_sampled: bool,
}

/// The text is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadContext;

impl Context {
    /// The root of a new trace that is kept.
    pub(crate) fn root() -> Self {
        Self { trace: fastrand::u128(1..), span: fastrand::u64(1..), is_sampled: true }
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: fastrand::u64(1..), ..self }
    }

    /// The same where the trace is not kept.
    #[must_use]
    pub fn unsampled(self) -> Self {
        Self { is_sampled: false, ..self }
    }

    /// Whether somebody decided that the trace is kept.
    pub fn is_sampled(self) -> bool {
        self.is_sampled
    }

    /// The trace, as everybody writes it.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The span, as everybody writes it.
    pub fn span_id(self) -> String {
        format!("{:016x}", self.span)
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.is_sampled))
    }
}

impl FromStr for Context {
    type Err = BadContext;

    /// Reads version 00, and of later ones what is the same.
    fn from_str(text: &str) -> Result<Self, BadContext> {
        let mut parts = text.split('-');
        let mut next = |len| parts.next().filter(|part| part.len() == len && is_hex(part)).ok_or(BadContext);
        let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        let has_more = parts.next().is_some();
        if version == "ff" || (version == "00" && has_more) {
            return Err(BadContext);
        }
        let trace = u128::from_str_radix(trace, 16).map_err(|_bad| BadContext)?;
        let span = u64::from_str_radix(span, 16).map_err(|_bad| BadContext)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_bad| BadContext)?;
        match (trace, span) {
            (0, _) | (_, 0) => Err(BadContext),
            _ => Ok(Self { trace, span, is_sampled: flags & 1 == 1 }),
        }
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_written_is_what_was_read() {
        for text in [VALID, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"] {
            let context: Context = text.parse().unwrap();
            assert_eq!((context.to_string().as_str(), context.is_sampled()), (text, text.ends_with('1')));
        }
        let child = VALID.parse::<Context>().unwrap().child();
        assert_eq!(child.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(child.to_string(), VALID);
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for text in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-+0f067aa0ba902b7-01",
        ] {
            assert_eq!(text.parse::<Context>(), Err(BadContext), "{text}");
        }
        assert!("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-more".parse::<Context>().is_ok());
    }
}
