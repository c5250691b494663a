//! `Captures`: calls that operators want to keep, on their way to the broker. No call waits for that.

mod missed;
mod names;
mod needles;
mod publisher;
mod redaction;
mod scrubbing;
mod sponge;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use wire::capture::{Capture, CaptureEntry, Drawn, HostCall, HttpOutcome};
use wire::{Activation, Answer, Broker, Version};

use crate::deployed::Deployed;
use crate::execution::Wanted;
pub(crate) use missed::Missed;
pub(crate) use publisher::Publisher;
pub use redaction::redact;
pub(crate) use redaction::shown_path;

/// Calls that may wait: what half a second at full speed leaves.
const KEPT_MAX: usize = 4_096;
/// KiB of them that may wait: what a runner can spare beside its Funcs.
const KIB_MAX: usize = 64 << 10;

/// Where calls are left that are to be kept. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Captures {
    kept: mpsc::Sender<Kept>,
    room: Arc<Semaphore>,
    missed: Arc<Missed>,
}

/// A call that is to be kept.
struct Kept {
    captures: Vec<Arc<Capture>>,
    /// Knows what is secret of it.
    deployed: Arc<Deployed>,
    entry: Box<CaptureEntry>,
    _room: OwnedSemaphorePermit,
}

impl Captures {
    /// A place for calls, and what publishes them: it ends when the last clone is gone.
    pub(crate) fn new(broker: Arc<dyn Broker>) -> (Self, Publisher) {
        let (kept, waiting) = mpsc::channel(KEPT_MAX);
        let missed = Arc::new(Missed::default());
        let captures = Self { kept, room: Arc::new(Semaphore::new(KIB_MAX)), missed: missed.clone() };
        (captures, Publisher::new(broker, waiting, missed))
    }

    /// How many calls were missed since the start, by capture.
    pub(crate) fn missed(&self) -> Arc<Missed> {
        self.missed.clone()
    }

    /// Leaves a call and what came of it; where there is no room, it is counted.
    pub(crate) fn keep(
        &self,
        deployed: Arc<Deployed>,
        wanted: Wanted,
        answer: Answer,
        activation: Activation,
        drawn: Option<Box<Drawn>>,
    ) {
        let Wanted { invoke, captures } = wanted;
        // One that was not begun drew nothing.
        let drawn = drawn.map_or_else(Drawn::nothing, |drawn| *drawn);
        let entry = CaptureEntry { v: Version, invoke, answer, activation, drawn, redacted: Vec::new() };
        let kib = u32::try_from(weight(&entry) / 1024).unwrap_or(u32::MAX).saturating_add(1);
        let Ok(room) = self.room.clone().try_acquire_many_owned(kib) else {
            return self.missed.add(&captures, 1);
        };
        let kept = Kept { captures, deployed, entry: Box::new(entry), _room: room };
        if let Err(full) = self.kept.try_send(kept) {
            self.missed.add(&full.into_inner().captures, 1);
        }
    }
}

/// About how many bytes it holds.
fn weight(entry: &CaptureEntry) -> usize {
    let CaptureEntry { invoke, answer, activation, drawn, .. } = entry;
    let request =
        invoke.path.len() + invoke.query.len() + head_len(&invoke.headers) + invoke.body.inline_len();
    let drawn = drawn.calls.iter().map(|call| size_of_val(call) + drawn_len(call));
    let lines = activation.logs.iter().map(|line| size_of_val(line) + line.text.len());
    let answer = head_len(&answer.headers) + answer.body.inline_len();
    size_of_val(entry) + request + answer + drawn.sum::<usize>() + lines.sum::<usize>()
}

fn drawn_len(call: &HostCall) -> usize {
    let HostCall::Http(exchange) = call else { return 0 };
    let answer = match &exchange.outcome {
        HttpOutcome::Response { headers, body, .. } => head_len(headers) + body.inline_len(),
        HttpOutcome::Failed(why) => why.len(),
    };
    size_of_val(&**exchange)
        + exchange.url.len()
        + head_len(&exchange.headers)
        + exchange.body.inline_len()
        + answer
}

fn head_len(headers: &[(String, String)]) -> usize {
    headers.iter().map(|header| size_of_val(header) + header.0.len() + header.1.len()).sum()
}
