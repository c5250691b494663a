//! `Mirroring`: copies of calls for bundles on trial, and how their answers compare.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compare::Comparison;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use tracing::debug;
use wire::broker::Message;
use wire::capture::{Drawn, HostCall, HttpOutcome};
use wire::{ActivationId, Answer, Body, Broker, Component, Invoke, Mirror, Replay, Timestamp, encode_line};

use crate::deployed::Deployed;
use crate::execution::Ended;
use crate::outside::{self, header_bytes};

/// Copies of one thread that wait to be sent; what finds no room is not copied. A trial has others.
const WAITING_MAX: usize = 64;
/// Copies that are on their way to the broker at a time: they hide its round trip.
const SENDING_MAX: usize = 8;
/// The longest copy: brokers suffer from longer messages.
const COPY_BYTES_MAX: usize = 1 << 20;

/// Where copies of calls are left for bundles on trial. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mirroring(mpsc::Sender<Parcel>);

struct Parcel {
    queue: String,
    line: Bytes,
    expires_at: Timestamp,
}

impl Mirroring {
    /// A place for copies, and what sends them: it ends when the last clone is gone.
    pub(crate) fn new(broker: Arc<dyn Broker>) -> (Self, impl Future<Output = ()>) {
        let (sender, mut receiver) = mpsc::channel(WAITING_MAX);
        let parcels = stream::poll_fn(move |cx| receiver.poll_recv(cx));
        (Self(sender), parcels.for_each_concurrent(SENDING_MAX, move |parcel| send(broker.clone(), parcel)))
    }

    /// Leaves copies of a call that has come to this, each with as long a time as the call had. Never waits.
    pub(crate) fn copy(&self, mirrors: &[Mirror], call: &Invoke, ended: &Ended, timeout: Duration) {
        let Some(drawn) = &ended.drawn else { return };
        // What the Func did not answer itself is no measure, and what was not noted whole cannot be played back.
        if ended.answer.status >= 500 || drawn.truncated {
            return;
        }
        // Of a body in the store no more could be compared than whether it is the same to the byte; and what would be
        // too long is not even encoded here, where other calls wait.
        if matches!(ended.answer.body, Body::Stored(_)) || weight(call, &ended.answer, drawn) > COPY_BYTES_MAX
        {
            return;
        }
        for mirror in mirrors {
            let Ok(room) = self.0.try_reserve() else { return };
            let expires_at = Timestamp::now().after(timeout);
            let copy = Invoke {
                activation: ActivationId::generate(),
                deadline: expires_at,
                reply_to: None,
                queue: None,
                bundle: None,
                replay: Some(Box::new(Replay {
                    of: call.activation,
                    drawn: Some((**drawn).clone()),
                    outside: false,
                    expected: Some(Box::new(ended.answer.clone())),
                })),
                ..call.clone()
            };
            let Ok(line) = encode_line(&copy) else { return };
            if line.len() <= COPY_BYTES_MAX {
                room.send(Parcel { queue: mirror.queue.clone(), line, expires_at });
            }
        }
    }
}

async fn send(broker: Arc<dyn Broker>, parcel: Parcel) {
    let Parcel { queue, line, expires_at } = parcel;
    if let Err(error) = broker.publish(&queue, Message::new(line).expires_at(expires_at)).await {
        debug!(%queue, %error, "copy dropped");
    }
}

/// How many bytes a copy has at least.
fn weight(call: &Invoke, answer: &Answer, drawn: &Drawn) -> usize {
    let drawn = drawn.calls.iter().map(|call| match call {
        HostCall::Http(exchange) => {
            let answered = match &exchange.outcome {
                HttpOutcome::Response { headers, body, .. } => header_bytes(headers) + body.inline_len(),
                HttpOutcome::Failed(_) => 0,
            };
            exchange.url.len() + header_bytes(&exchange.headers) + exchange.body.inline_len() + answered
        }
        _ => 0,
    });
    header_bytes(&call.headers)
        + call.body.inline_len()
        + header_bytes(&answer.headers)
        + answer.body.inline_len()
        + drawn.sum::<usize>()
}

/// Compares what a copy came to with what its call came to, and notes that.
pub(crate) fn compare(deployed: &Deployed, expected: &Answer, ended: &mut Ended, is_late: bool) {
    if !is_telling(ended, is_late) {
        return;
    }
    let path = deployed.base_path.strip(&ended.record.path).unwrap_or_default();
    let comparison = Comparison::of_request(&deployed.document, &ended.record.method, path);
    let differences = comparison.differences(expected, &ended.answer);
    deployed.tally.compare(!differences.is_empty());
    if !differences.is_empty() {
        ended.record.difference = Some(compare::summary(&differences));
    }
}

/// Notes that a copy ended its runner each time that it was begun, which its call did not.
pub(crate) fn condemn(deployed: &Deployed, ended: &mut Ended) {
    deployed.tally.compare(true);
    ended.record.difference = Some("the copy was cut off each time it was begun".to_owned());
}

/// Whether what a copy came to says something about its bundle. `is_late` is whether it was begun when much of its time
/// was gone.
fn is_telling(ended: &Ended, is_late: bool) -> bool {
    match ended.failed {
        // Ours is the fault; that its document refuses a request is not.
        Some(Component::Runner) if ended.answer.status >= 500 => false,
        Some(Component::Func) if ended.answer.status == 504 => !is_late,
        _ => !ended.drawn.as_ref().is_some_and(|drawn| drawn.calls.iter().any(is_beyond)),
    }
}

/// Whether the Func read on where what was recorded ends.
fn is_beyond(call: &HostCall) -> bool {
    let HostCall::Http(exchange) = call else { return false };
    matches!(&exchange.outcome, HttpOutcome::Response { cut: Some(why), .. } if why == outside::UNREAD)
}
