//! `Intake`: takes the calls of one capture from its queue into the store. Several Trons may do it at once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::broker::{self, Consumer, Delivery, capture_queue};
use wire::capture::Capture;
use wire::store::EndReason;
use wire::{Backoff, CaptureId, Chain, Timestamp, store};

use super::Captures;
use crate::observations::Head;

/// What is written at once: few objects, and little that is held.
const CHUNK_BYTES: usize = 1024 * 1024;
/// What came is in the store after this time, however little it is.
const CHUNK_WAIT: Duration = Duration::from_millis(500);
/// Messages of a chunk: runners gather calls, so that a message is large where there are many.
const PREFETCH: u16 = 256;
/// How often it is looked at whether all is done, and noted what was missed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// What other Trons have written is counted on one look in this many.
const LOOKS_PER_COUNT: u32 = 5;
/// What cannot be written now is tried again after this time.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes in one capture.
pub(super) struct Intake {
    captures: Arc<Captures>,
    capture: Capture,
    queue: String,
    head: watch::Receiver<Head>,
    /// Bytes in the store, as far as we know.
    bytes: u64,
    /// Since when it is over, as far as we have seen.
    over_since: Option<Instant>,
    looks: u32,
}

/// What was taken and is not in the store yet.
#[derive(Default)]
struct Chunk {
    /// Lines of calls, each whole and ended.
    pieces: Vec<Bytes>,
    bytes: usize,
    entries: u64,
    deliveries: Vec<Delivery>,
    since: Option<Instant>,
}

/// Why no more is taken for now.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// It is over and nothing more can come.
    Drained,
    /// The connection or the queue is gone, or something came when all seemed to be done.
    Again,
    Stopped,
}

impl Intake {
    pub(super) fn new(captures: Arc<Captures>, capture: Capture) -> Self {
        let (queue, head) = (capture.queue(), captures.observations.watch());
        Self { captures, capture, queue, head, bytes: 0, over_since: None, looks: 0 }
    }

    /// Takes in what comes, until the capture is over and its queue empty, or until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) -> CaptureId {
        let mut backoff = Backoff::new();
        while let Some(opened) = stop.run_until_cancelled(self.open()).await {
            match opened {
                Ok(None) => break,
                Ok(Some(consumer)) => {
                    backoff.reset();
                    if self.take(consumer, &stop).await != Ended::Again {
                        break;
                    }
                }
                Err(error) => {
                    warn!(queue = self.queue, error = %Chain(&error), "capture cannot be taken in yet");
                }
            }
            let _ = timeout(backoff.wait(), stop.cancelled()).await;
        }
        self.capture.id
    }

    /// A consumer of the queue; none when the capture is over and its queue gone.
    async fn open(&mut self) -> Result<Option<Consumer>, Setback> {
        let broker = &self.captures.broker;
        if self.is_over() {
            match broker.depth(&self.queue).await {
                Err(broker::Error::Unroutable(_)) => return Ok(None),
                found => found?,
            };
        } else {
            broker.declare(&capture_queue(&self.capture.id)).await?;
        }
        self.count().await?;
        Ok(Some(self.captures.broker.consume(&self.queue, PREFETCH).await?))
    }

    async fn take(&mut self, mut consumer: Consumer, stop: &CancellationToken) -> Ended {
        let mut chunk = Chunk::default();
        let mut looks = wire::ticks(LOOK_INTERVAL);
        loop {
            if chunk.is_full() {
                self.write(&mut chunk, stop).await;
            }
            // Once it is over, somebody may wait for all of it.
            let wait = if self.is_over() { Duration::ZERO } else { CHUNK_WAIT };
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    consumer.stop().await.into_iter().for_each(|delivery| chunk.add(delivery));
                    self.write(&mut chunk, stop).await;
                    return Ended::Stopped;
                }
                _ = looks.tick() => match self.look(&chunk).await {
                    Ok(false) => {}
                    Ok(true) => return self.close(consumer, stop).await,
                    Err(error) => warn!(queue = self.queue, error = %Chain(&error), "capture not looked at"),
                },
                Ok(()) = self.head.changed() => {}
                delivery = consumer.next() => match delivery {
                    Some(delivery) => chunk.add(delivery),
                    None => {
                        // What was not settled may come again, or went with its queue: once too often does no harm.
                        self.write(&mut chunk, stop).await;
                        return Ended::Again;
                    }
                },
                () = until(chunk.since.map(|since| since + wait)) => self.write(&mut chunk, stop).await,
            }
        }
    }

    /// Puts what was taken into the store, then settles it. Tries until it works, or until `stop`.
    async fn write(&mut self, chunk: &mut Chunk, stop: &CancellationToken) {
        while let Err(error) = self.put(chunk).await {
            warn!(capture = %self.capture.id, error = %Chain(&error), "captured calls not kept, trying again");
            if timeout(PAUSE, stop.cancelled()).await.is_ok() {
                // Unsettled, it is given back.
                return *chunk = Chunk::default();
            }
        }
        std::mem::take(chunk).deliveries.into_iter().for_each(Delivery::ack);
    }

    async fn put(&mut self, chunk: &Chunk) -> Result<(), store::Error> {
        let id = &self.capture.id;
        let room = usize::try_from(self.capture.bytes_max.saturating_sub(self.bytes)).unwrap_or(usize::MAX);
        let is_full = chunk.bytes > room;
        let shortened;
        let fitting = if is_full {
            shortened = chunk.shortened(room);
            &shortened
        } else {
            chunk
        };
        // Who deletes a capture does not want what comes late.
        let is_wanted = !self.is_over() || self.captures.store.capture(id).await?.is_some();
        if fitting.entries > 0 && is_wanted {
            self.captures.store.append_chunk(id, fitting.pieces.clone(), fitting.entries).await?;
            self.bytes += fitting.bytes as u64;
        }
        if is_full && !self.is_over() {
            self.end().await;
        }
        Ok(())
    }

    /// It has as much as it may have.
    async fn end(&self) {
        let Capture { id, route, .. } = &self.capture;
        match self.captures.end(id, EndReason::Full).await {
            Ok(()) => info!(capture = %id, %route, bytes = self.bytes, "capture is full"),
            // Another Tron may have been first; if not, the next call that finds no room tries again.
            Err(error) => warn!(capture = %id, error = %Chain(&error), "full capture not ended"),
        }
    }

    /// Deletes the queue, unless there is something in it after all: what came here just now would go with it.
    async fn close(&mut self, mut consumer: Consumer, stop: &CancellationToken) -> Ended {
        let mut late = Chunk::default();
        consumer.stop().await.into_iter().for_each(|delivery| late.add(delivery));
        if !late.deliveries.is_empty() {
            self.write(&mut late, stop).await;
            return Ended::Again;
        }
        let deleted = async {
            let is_empty = self.is_empty().await?;
            if is_empty {
                self.captures.broker.delete(&self.queue).await?;
            }
            Ok::<_, broker::Error>(is_empty)
        };
        match deleted.await {
            Ok(true) => Ended::Drained,
            Ok(false) => Ended::Again,
            Err(error) => {
                warn!(queue = self.queue, error = %Chain(&error), "queue of a capture not deleted yet");
                Ended::Again
            }
        }
    }

    /// Notes what was missed, counts what others have written, and says whether all seems to be done.
    async fn look(&mut self, chunk: &Chunk) -> Result<bool, Setback> {
        self.captures.note_missed(&self.capture.id).await?;
        self.looks += 1;
        if self.looks.is_multiple_of(LOOKS_PER_COUNT) {
            self.count().await?;
        }
        if !self.is_over() {
            self.over_since = None;
            return Ok(false);
        }
        let since = *self.over_since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.captures.linger || !chunk.deliveries.is_empty() {
            return Ok(false);
        }
        Ok(self.is_empty().await?)
    }

    /// Whether nothing waits in the queue, which may be gone.
    async fn is_empty(&self) -> Result<bool, broker::Error> {
        match self.captures.broker.depth(&self.queue).await {
            Ok(depth) => Ok(depth.ready == 0),
            Err(broker::Error::Unroutable(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn count(&mut self) -> Result<(), store::Error> {
        let chunks = self.captures.store.chunks(&self.capture.id).await?;
        self.bytes = chunks.iter().map(|chunk| chunk.bytes).sum();
        Ok(())
    }

    fn is_over(&self) -> bool {
        let head = self.head.borrow();
        let is_observed = head.observation.captures.iter().any(|capture| capture.id == self.capture.id);
        !is_observed || self.capture.until <= Timestamp::now()
    }
}

/// What keeps a capture from being taken in, for now.
#[derive(Debug, thiserror::Error)]
enum Setback {
    #[error("reach the broker")]
    Broker(#[from] broker::Error),
    #[error("reach the store")]
    Store(#[from] store::Error),
}

impl Chunk {
    fn add(&mut self, delivery: Delivery) {
        self.since.get_or_insert_with(Instant::now);
        self.push(delivery.message.payload.clone());
        self.deliveries.push(delivery);
    }

    fn push(&mut self, lines: Bytes) {
        self.bytes += lines.len();
        self.entries += lines.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        let is_ended = lines.last().is_none_or(|byte| *byte == b'\n');
        self.pieces.push(lines);
        if !is_ended {
            self.push(Bytes::from_static(b"\n"));
        }
    }

    /// As many whole lines of it as fit in these bytes, without what it came from.
    fn shortened(&self, bytes_max: usize) -> Self {
        let mut shortened = Self::default();
        for line in self.pieces.iter().flat_map(wire::split_lines) {
            if shortened.bytes + line.len() + 1 > bytes_max {
                break;
            }
            shortened.push(line);
        }
        shortened
    }

    fn is_full(&self) -> bool {
        self.bytes >= CHUNK_BYTES || self.deliveries.len() >= usize::from(PREFETCH)
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
