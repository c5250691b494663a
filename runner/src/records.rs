//! `Records`: the records of executions, broadcast some at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::warn;
use wire::broker::Topic;
use wire::{Activation, Broker, encode_line};

/// How long a record may wait for others: nobody who watches notices, and at full speed hundreds of
/// them share one message.
const WAIT: Duration = Duration::from_millis(20);
/// Records in one message.
const BATCH_MAX: usize = 256;
/// Where a message ends though more records wait: brokers suffer from those over 1 MiB, and a record with
/// all that a call may print is below half of that.
const MESSAGE_BYTES: usize = 256 << 10;
/// Records that may wait; calls then wait for room, since a record must not get lost.
const QUEUE_MAX: usize = 4096;

/// Where finished calls leave their records. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Records(mpsc::Sender<Activation>);

impl Records {
    /// A place for records, and what broadcasts them: it ends when the last clone is gone.
    pub(crate) fn new(broker: Arc<dyn Broker>) -> (Self, impl Future<Output = ()>) {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        (Self(sender), broadcast(broker, receiver))
    }

    pub(crate) async fn keep(&self, record: Activation) {
        // The receiver lives until the last sender is gone.
        let _ = self.0.send(record).await;
    }
}

async fn broadcast(broker: Arc<dyn Broker>, mut records: mpsc::Receiver<Activation>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while records.recv_many(&mut batch, BATCH_MAX).await > 0 {
        if batch.len() < BATCH_MAX && !records.is_closed() {
            tokio::time::sleep(WAIT).await;
            while batch.len() < BATCH_MAX
                && let Ok(record) = records.try_recv()
            {
                batch.push(record);
            }
        }
        let mut lines = Vec::with_capacity(batch.len() * 512);
        for record in batch.drain(..) {
            // A record is texts and numbers: it can always be written.
            lines.extend_from_slice(&encode_line(&record).unwrap_or_default());
            if lines.len() > MESSAGE_BYTES {
                send(&*broker, std::mem::take(&mut lines)).await;
            }
        }
        if !lines.is_empty() {
            send(&*broker, lines).await;
        }
    }
}

async fn send(broker: &dyn Broker, lines: Vec<u8>) {
    if let Err(error) = broker.broadcast(Topic::Activations, lines.into()).await {
        warn!(%error, "records dropped");
    }
}
