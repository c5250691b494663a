//! `Publisher`: makes lines of calls that are to be kept, and publishes them some at a time.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};
use wire::broker::{self, Message};
use wire::capture::Capture;
use wire::{Backoff, Broker, encode_line};

use super::{Kept, Missed, redaction};

/// How long a call may wait for others: whoever looks at a capture does not notice.
const WAIT: Duration = Duration::from_millis(20);
/// Calls that are taken up together.
const BATCH_MAX: usize = 256;
/// Bytes of a message that has more than one line.
const MESSAGE_BYTES: usize = 256 << 10;
/// For how long a message is tried again. What waits meanwhile is bounded.
const PATIENCE: Duration = Duration::from_secs(5);

/// Publishes calls that are to be kept.
pub(crate) struct Publisher {
    broker: Arc<dyn Broker>,
    kept: mpsc::Receiver<Kept>,
    missed: Arc<Missed>,
}

/// Lines for one capture.
struct Parcel {
    capture: Arc<Capture>,
    lines: Vec<u8>,
    calls: u64,
}

impl Publisher {
    pub(super) fn new(broker: Arc<dyn Broker>, kept: mpsc::Receiver<Kept>, missed: Arc<Missed>) -> Self {
        Self { broker, kept, missed }
    }

    /// Starts a thread for it, so that to make lines holds up no call. It ends when nobody can leave calls any more; should
    /// it end before, `stop` tells the runner to do the same.
    pub(crate) fn spawn(self, stop: CancellationToken) -> io::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("func-capture".to_owned()).spawn(move || {
            let _stop_on_exit = stop.drop_guard();
            runtime.block_on(self.run());
        })
    }

    /// Publishes until nobody can leave calls any more, and then what was left.
    async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut parcels: Vec<Parcel> = Vec::new();
        while self.kept.recv_many(&mut batch, BATCH_MAX).await > 0 {
            if batch.len() < BATCH_MAX && !self.kept.is_closed() {
                sleep(WAIT).await;
                while batch.len() < BATCH_MAX
                    && let Ok(kept) = self.kept.try_recv()
                {
                    batch.push(kept);
                }
            }
            for kept in batch.drain(..) {
                for (capture, line) in self.lines(kept) {
                    self.add(&mut parcels, capture, &line).await;
                }
            }
            for parcel in parcels.drain(..) {
                self.send(parcel).await;
            }
        }
    }

    /// A call as lines. A mistake of ours that comes up there costs this call and no other.
    fn lines(&self, kept: Kept) -> Vec<(Arc<Capture>, Bytes)> {
        let captures = kept.captures.clone();
        let made = catch_unwind(AssertUnwindSafe(|| lines(kept)));
        made.unwrap_or_else(|_panic| {
            error!("a call that is to be kept could not be written");
            self.missed.add(&captures, 1);
            Vec::new()
        })
    }

    /// Adds a line to those of its capture, which are sent first if it does not fit beside them.
    async fn add(&self, parcels: &mut Vec<Parcel>, capture: Arc<Capture>, line: &[u8]) {
        let open = parcels.iter().position(|parcel| parcel.capture.id == capture.id);
        if let Some(open) = open {
            let parcel = &mut parcels[open];
            if parcel.lines.len() + line.len() <= MESSAGE_BYTES {
                parcel.lines.extend_from_slice(line);
                parcel.calls += 1;
                return;
            }
            let full = parcels.swap_remove(open);
            self.send(full).await;
        }
        parcels.push(Parcel { capture, lines: line.to_vec(), calls: 1 });
    }

    async fn send(&self, Parcel { capture, lines, calls }: Parcel) {
        let (queue, message) = (capture.queue(), Message::new(lines.into()));
        let (mut backoff, give_up_at) = (Backoff::new(), Instant::now() + PATIENCE);
        loop {
            match self.broker.publish(&queue, message.clone()).await {
                Ok(()) => return,
                // It goes when the capture ends, and we may not have heard of that.
                Err(error @ broker::Error::Unroutable(_)) => debug!(queue, calls, %error, "calls not kept"),
                // Other captures would wait behind it, and whoever else listens has been given the message.
                Err(error @ broker::Error::Full(_)) => warn!(queue, calls, %error, "calls not kept"),
                // At the end there is no time to wait for anybody.
                Err(_) if !self.kept.is_closed() && Instant::now() < give_up_at => {
                    sleep(backoff.wait()).await;
                    continue;
                }
                Err(error) => warn!(queue, calls, %error, "calls not kept"),
            }
            return self.missed.add(&[capture], calls);
        }
    }
}

/// A call as a line for each of its captures, without its secrets unless a capture keeps those.
fn lines(kept: Kept) -> Vec<(Arc<Capture>, Bytes)> {
    let Kept { captures, deployed, mut entry, .. } = kept;
    // Calls are texts and numbers: they can always be written.
    let line = |entry: &_| encode_line(entry).unwrap_or_default();
    let (open, closed): (Vec<_>, Vec<_>) = captures.into_iter().partition(|capture| capture.secrets);
    let mut lines = Vec::with_capacity(open.len() + closed.len());
    if !open.is_empty() {
        let line = line(&*entry);
        lines.extend(open.into_iter().map(|capture| (capture, line.clone())));
    }
    if !closed.is_empty() {
        redaction::redact(&mut entry, &deployed.document, &deployed.base_path);
        let line = line(&*entry);
        lines.extend(closed.into_iter().map(|capture| (capture, line.clone())));
    }
    lines
}
