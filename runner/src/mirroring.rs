//! `Mirroring`: copies of calls for bundles on trial, and how their answers compare.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compare::Comparison;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use tracing::debug;
use wire::broker::Message;
use wire::{ActivationId, Answer, Broker, Invoke, Mirror, Replay, Timestamp, encode_line};

use crate::deployed::Deployed;
use crate::execution::Ended;

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

/// Compares what a copy came to with what its call came to, and notes that.
pub(crate) fn compare(deployed: &Deployed, expected: &Answer, ended: &mut Ended) {
    // Its time was up before it was begun: that says nothing about the bundle.
    if ended.drawn.is_none() && ended.answer.status == 504 {
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
