//! `Export`: a capture as one file: its header, then its calls, the oldest first, each once.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use tracing::warn;
use wire::capture::{CaptureHeader, FileKind};
use wire::store::{BodyStream, CaptureRecord, Chunk};
use wire::{ActivationId, CaptureId, Store, Timestamp, Version, store};

use super::Captures;
use crate::Rejection;

/// Chunks that are held: several Trons wrote at a time, so neighbours in time lie in several.
const CHUNKS_HELD: usize = 16;

/// A capture that is being read.
pub(crate) struct Export {
    store: Store,
    id: CaptureId,
    chunks: Vec<Chunk>,
    held: VecDeque<(usize, Bytes)>,
    header: Option<Bytes>,
    calls: std::vec::IntoIter<Call>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Where a call lies. In the order in which the frontends accepted them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    at: Timestamp,
    activation: ActivationId,
    retry: u32,
    attempt: u32,
    chunk: usize,
    start: usize,
    end: usize,
}

/// What calls are sorted by.
#[derive(Deserialize)]
struct EntryHead {
    invoke: InvokeHead,
}

#[derive(Deserialize)]
struct InvokeHead {
    at: Timestamp,
    activation: ActivationId,
    #[serde(default)]
    retry: u32,
    attempt: u32,
}

impl Export {
    /// Reads where all calls are; the file begins when this returns. Waits while others are being read.
    pub(crate) async fn open(captures: &Captures, record: CaptureRecord) -> Result<Self, Rejection> {
        let permit = captures.transfer().await;
        let (store, id) = (captures.store.clone(), record.capture.id.clone());
        let chunks = store.chunks(&id).await?;
        let mut calls = Vec::new();
        for (at, chunk) in chunks.iter().enumerate() {
            let lines = store.chunk(&id, chunk).await?;
            calls.extend(spawn_blocking(move || index(&lines, at)).await?);
        }
        calls.sort_unstable();
        // What a Tron did not live to settle was written twice.
        calls.dedup_by_key(|call| (call.activation, call.retry, call.attempt));
        let header = CaptureHeader {
            v: Version,
            kind: FileKind::Capture,
            at: Timestamp::now(),
            capture: record.capture,
            host: record.host,
            base_path: record.base_path,
            entries: calls.len() as u64,
            missed: store.capture_missed(&id).await?.values().sum(),
        };
        // Texts and numbers: it can always be written.
        let header = Some(wire::encode_line(&header).unwrap_or_default());
        let (held, calls) = (VecDeque::new(), calls.into_iter());
        Ok(Self { store, id, chunks, held, header, calls, _permit: permit })
    }

    /// How many calls it has.
    pub(crate) fn entries(&self) -> usize {
        self.calls.len()
    }

    /// The file.
    pub(crate) fn into_stream(self) -> BodyStream {
        stream::try_unfold(self, Self::next).boxed()
    }

    async fn next(mut self) -> Result<Option<(Bytes, Self)>, store::Error> {
        if let Some(header) = self.header.take() {
            return Ok(Some((header, self)));
        }
        let Some(call) = self.calls.next() else { return Ok(None) };
        let lines = self.chunk(call.chunk).await?;
        let line = self.store.embed_bodies(lines.slice(call.start..call.end)).await?;
        let mut ended = BytesMut::with_capacity(line.len() + 1);
        ended.put(line);
        if ended.last() != Some(&b'\n') {
            ended.put_u8(b'\n');
        }
        Ok(Some((ended.freeze(), self)))
    }

    /// A chunk; it is still as it was, since nobody writes one twice.
    async fn chunk(&mut self, at: usize) -> Result<Bytes, store::Error> {
        if let Some((_, lines)) = self.held.iter().find(|(held, _)| *held == at) {
            return Ok(lines.clone());
        }
        let gone = || store::Error::CaptureGone(self.id.clone());
        let chunk = self.chunks.get(at).ok_or_else(gone)?;
        let lines = self.store.chunk(&self.id, chunk).await?;
        self.held.truncate(CHUNKS_HELD - 1);
        self.held.push_front((at, lines.clone()));
        Ok(lines)
    }
}

/// The calls of a chunk. What is none is told and left out.
fn index(lines: &Bytes, chunk: usize) -> Vec<Call> {
    let (mut calls, mut start) = (Vec::new(), 0);
    for line in lines.split(|byte| *byte == b'\n') {
        let end = start + line.len();
        match wire::decode_line::<EntryHead>(line) {
            Ok(EntryHead { invoke: InvokeHead { at, activation, retry, attempt } }) => {
                calls.push(Call { at, activation, retry, attempt, chunk, start, end });
            }
            Err(_) if line.is_empty() => {}
            Err(error) => warn!(%error, "captured call cannot be read"),
        }
        start = end + 1;
    }
    calls
}
