//! How things that go wrong are told: short, on standard error, with every place to look.

use std::fmt::{self, Write};
use std::io;
use std::process::ExitCode;

use serde::Deserialize;
use wire::Fault;

use crate::output;

/// What a server answered instead of a result.
#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    /// What went wrong in general.
    pub(crate) title: String,
    /// What went wrong this time.
    #[serde(default)]
    pub(crate) detail: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What to look for in the server's log.
    #[serde(default)]
    pub(crate) request_id: Option<String>,
    /// Every place to look.
    #[serde(default)]
    pub(crate) errors: Vec<Fault>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        write_faults(f, &self.errors)?;
        match &self.request_id {
            // Only for what is not the caller's own doing is there anything to find in a log.
            Some(id) if self.status >= 500 => write!(f, "\n  request id {id}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

/// A document or a bundle that cannot be served, with every mistake found in it.
#[derive(Debug)]
pub(crate) struct Faulty {
    /// Never empty.
    pub(crate) faults: Vec<Fault>,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.len() {
            1 => f.write_str("1 fault")?,
            count => write!(f, "{count} faults")?,
        }
        write_faults(f, &self.faults)
    }
}

impl std::error::Error for Faulty {}

fn write_faults(f: &mut fmt::Formatter<'_>, faults: &[Fault]) -> fmt::Result {
    faults.iter().try_for_each(|fault| write!(f, "\n  {}", fault_line(fault)))
}

/// One fault in one line: where, then what.
pub(crate) fn fault_line(fault: &Fault) -> String {
    let Fault { location, pointer, reason } = fault;
    if pointer.is_empty() {
        format!("{location}: {reason}")
    } else {
        format!("{location} {pointer}: {reason}")
    }
}

/// Tells what went wrong.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if reader_left(error) {
        return ExitCode::SUCCESS;
    }
    output::remark(format!("error: {}", chain(error)));
    ExitCode::FAILURE
}

/// An error and its causes in one text; a cause that its effect already tells is left out.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            // Writing to a String cannot fail.
            let _written = write!(text, ": {cause}");
        }
    }
    text
}

/// Whoever read our output has enough, as `head` does: no reason to complain.
fn reader_left(error: &anyhow::Error) -> bool {
    let io_error = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_shown_with_a_line_for_each_fault() {
        let refusal: Refusal = serde_json::from_value(serde_json::json!({
            "type": "urn:funcatron:problem:unprocessable", "title": "Unprocessable", "status": 422,
            "detail": "the document has faults", "request_id": "r1", "component": "admin",
            "errors": [{ "in": "document", "pointer": "/paths/~1a", "reason": "is no object" }],
        }))
        .unwrap();
        let error = anyhow::Error::new(refusal).context("upload a.zip");
        assert_eq!(
            chain(&error),
            "upload a.zip: Unprocessable: the document has faults\n  document /paths/~1a: is no object"
        );
    }

    #[test]
    fn a_fault_of_the_server_names_the_request() {
        let refusal = Refusal {
            title: "Internal error".into(),
            detail: String::new(),
            status: 500,
            request_id: Some("r1".into()),
            errors: Vec::new(),
        };
        assert_eq!(refusal.to_string(), "Internal error\n  request id r1");
    }
}
