//! `Outcome`: what running a captured call again came to.

use compare::{Comparison, Difference, Noise};
use serde::Serialize;
use swagger::{BasePath, Document};
use wire::capture::CaptureEntry;
use wire::{ActivationId, Answer, RequestId, Timestamp};

/// How an answer compares to the one before.
pub(crate) struct Judged {
    /// The `operationId`, as the document of whoever answered has it.
    pub(crate) operation: Option<String>,
    pub(crate) differences: Vec<Difference>,
}

impl Judged {
    pub(crate) fn of(
        document: &Document,
        base_path: &BasePath,
        entry: &CaptureEntry,
        answer: &Answer,
        noise: &Noise,
    ) -> Self {
        let below = base_path.strip(&entry.invoke.path).unwrap_or(&entry.invoke.path);
        let comparison =
            Comparison::of_request(document, &entry.invoke.method, below).redacted(&entry.redacted);
        let operation = comparison.operation().or(entry.activation.operation.as_deref());
        Self {
            operation: operation.map(str::to_owned),
            differences: comparison.without(noise, operation).differences(&entry.answer, answer),
        }
    }
}

/// What running a captured call again came to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) id: RequestId,
    pub(crate) activation: ActivationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) at: Timestamp,
    /// Microseconds, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) took_us: Option<u64>,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
}

/// Whether the answer is the one before.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Same,
    Different(Vec<Difference>),
    /// It was not run again, for this reason.
    Skipped(String),
    /// There is no answer, for this reason.
    Failed(String),
}

impl Outcome {
    pub(crate) fn of(entry: &CaptureEntry, verdict: Verdict) -> Self {
        let invoke = &entry.invoke;
        Self {
            id: invoke.id.clone(),
            activation: invoke.activation,
            operation: entry.activation.operation.clone(),
            method: invoke.method.clone(),
            path: invoke.path.clone(),
            at: invoke.at,
            took_us: None,
            verdict,
        }
    }
}
