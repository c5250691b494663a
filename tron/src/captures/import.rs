//! `Import`: a file of captured calls that is brought here, under a name of its own.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::OwnedSemaphorePermit;
use tracing::info;
use wire::admin::CaptureInfo;
use wire::capture::{Capture, CaptureHeader};
use wire::store::CaptureRecord;
use wire::{CaptureId, Timestamp, decode_line};

use super::Captures;
use crate::Rejection;

/// The longest line: two bodies of 16 MiB in their longest form, and what else there is of a call.
const LINE_BYTES_MAX: usize = 96 * 1024 * 1024;
/// What all calls may have, bodies over 256 KiB left out: as much as a capture.
const BYTES_MAX: u64 = Captures::BYTES_MAX;
/// What is written at once.
const CHUNK_BYTES: usize = 1024 * 1024;
/// How long what was brought is kept. Large bodies are not kept for more than twice as long.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// A file that is being read. What was written of one that comes to nothing is deleted, whatever ended it.
pub(crate) struct Import<'a> {
    captures: &'a Captures,
    id: CaptureId,
    by: String,
    header: Option<CaptureHeader>,
    /// What is not yet a line.
    rest: BytesMut,
    /// How much of that was looked through for the end of the line.
    seen: usize,
    lines: u64,
    chunk: BytesMut,
    chunk_entries: u64,
    entries: u64,
    bytes: u64,
    /// Whether it has become a capture.
    is_kept: bool,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<'a> Import<'a> {
    /// Begins; waits while others are being read.
    pub(crate) async fn begin(captures: &'a Captures, by: &str) -> Result<Self, Rejection> {
        let permit = captures.transfer().await;
        captures.check_room().await?;
        Ok(Self {
            captures,
            id: CaptureId::generate(),
            by: by.to_owned(),
            header: None,
            rest: BytesMut::new(),
            seen: 0,
            lines: 0,
            chunk: BytesMut::new(),
            chunk_entries: 0,
            entries: 0,
            bytes: 0,
            is_kept: false,
            _permit: permit,
        })
    }

    /// Adds bytes of the file.
    pub(crate) async fn push(&mut self, data: &[u8]) -> Result<(), Rejection> {
        self.rest.extend_from_slice(data);
        while let Some(at) = self.rest.iter().skip(self.seen).position(|byte| *byte == b'\n') {
            let line = self.rest.split_to(self.seen + at + 1);
            self.seen = 0;
            self.line(line.freeze()).await?;
        }
        self.seen = self.rest.len();
        if self.seen > LINE_BYTES_MAX {
            let what = format!("line {} of the file", self.lines + 1);
            return Err(Rejection::TooLarge { what, max: LINE_BYTES_MAX as u64 });
        }
        Ok(())
    }

    /// Ends the file, and makes it known as a capture.
    pub(crate) async fn finish(mut self) -> Result<CaptureInfo, Rejection> {
        if !self.rest.is_empty() {
            let line = self.rest.split().freeze();
            self.line(line).await?;
        }
        self.write().await?;
        let Some(header) = self.header.take() else { return Err(malformed("the file is empty")) };
        if header.entries != self.entries {
            let (told, found) = (header.entries, self.entries);
            return Err(malformed(format!("the file says that it has {told} calls, and it has {found}")));
        }
        let (captures, id, by) = (self.captures, self.id.clone(), self.by.clone());
        if header.missed > 0 {
            // Nobody here missed them: they are counted under the name that they came with.
            let from = wire::MemberId::parse("imported").map_err(|bad| malformed(bad.to_string()))?;
            captures.store.note_missed(&id, &[(from, header.missed)].into()).await?;
        }
        let capture = Capture { id, delete_at: Timestamp::now().after(KEEP), by, ..header.capture };
        let (host, base_path) = (header.host, header.base_path);
        let record = CaptureRecord { capture, host, base_path, imported: true };
        captures.store.put_capture(&record).await?;
        self.is_kept = true;
        let Capture { id, route, by, .. } = &record.capture;
        info!(by, capture = %id, %route, entries = header.entries, "capture imported");
        captures.info(record).await
    }

    async fn line(&mut self, line: Bytes) -> Result<(), Rejection> {
        self.lines += 1;
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let number = self.lines;
        if self.header.is_none() {
            let header = decode_line(&line);
            let no_header =
                |bad| malformed(format!("line {number} is not the header of a capture: {}", why(&bad)));
            self.header = Some(header.map_err(no_header)?);
            return Ok(());
        }
        let entry = self.captures.store.detach_bodies(line).await?;
        let entry =
            entry.map_err(|bad| malformed(format!("line {number} is no captured call: {}", why(&bad))))?;
        self.bytes += entry.len() as u64;
        if self.bytes > BYTES_MAX {
            return Err(Rejection::TooLarge { what: "the capture".to_owned(), max: BYTES_MAX });
        }
        self.entries += 1;
        self.chunk_entries += 1;
        self.chunk.extend_from_slice(&entry);
        if self.chunk.len() >= CHUNK_BYTES { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<(), Rejection> {
        let (lines, entries) = (self.chunk.split().freeze(), std::mem::take(&mut self.chunk_entries));
        if entries == 0 {
            return Ok(());
        }
        Ok(self.captures.store.append_chunk(&self.id, vec![lines], entries).await?)
    }
}

impl Drop for Import<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.captures.abandoned.add(self.id.clone());
        }
    }
}

fn malformed(detail: impl Into<String>) -> Rejection {
    Rejection::Malformed(detail.into())
}

/// What is wrong, with its place in the line.
fn why(bad: &wire::MessageError) -> String {
    wire::Chain(bad).to_string()
}
