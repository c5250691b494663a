//! Large bodies of captured calls: put into their lines when a capture leaves the store, and kept apart when it comes
//! back.

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use tokio::task::spawn_blocking;
use tracing::warn;

use super::bodies::ended;
use super::{Error, Store};
use crate::capture::CaptureEntry;
use crate::{Body, Chain, MessageError, StoredBody, decode_line, encode_line};

/// The longest body that is put into a line: whoever reads the line holds it.
const EMBEDDED_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// How a reference looks at its beginning; what only looks like one costs a closer look.
const REFERENCE: &str = "\"ref\":\"bodies/";

impl Store {
    /// The line of a captured call with its bodies in it. One that is gone, or over 16 MiB, stays a reference.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn embed_bodies(&self, line: Bytes) -> Result<Bytes, Error> {
        if !std::str::from_utf8(&line).is_ok_and(|text| text.contains(REFERENCE)) {
            return Ok(line);
        }
        let original = line.clone();
        let decoded = spawn_blocking(move || decode_line::<CaptureEntry>(&line)).await.map_err(ended)?;
        let Ok(mut entry) = decoded else { return Ok(original) };
        for body in [&mut entry.invoke.body, &mut entry.answer.body] {
            if let Body::Stored(stored) = body
                && stored.len <= EMBEDDED_BYTES_MAX
                && let Some(bytes) = self.whole(stored).await?
            {
                *body = Body::Inline(bytes);
            }
        }
        let encoded = spawn_blocking(move || encode_line(&entry)).await.map_err(ended)?;
        Ok(encoded.unwrap_or(original))
    }

    /// Reads the line of a captured call and gives it back with its large bodies kept apart.
    ///
    /// # Errors
    /// When the store cannot be written; within that, when the line is no captured call.
    pub async fn detach_bodies(&self, line: Bytes) -> Result<Result<Bytes, MessageError>, Error> {
        let decoded = spawn_blocking(move || decode_line::<CaptureEntry>(&line)).await.map_err(ended)?;
        let mut entry = match decoded {
            Ok(entry) => entry,
            Err(bad) => return Ok(Err(bad)),
        };
        for body in [&mut entry.invoke.body, &mut entry.answer.body] {
            if let Body::Inline(bytes) = body
                && bytes.len() > Body::INLINE_BYTES_MAX
            {
                let mut upload = self.upload();
                upload.push(bytes).await?;
                *body = Body::Stored(upload.finish().await?);
            }
        }
        Ok(encode_line(&entry))
    }

    /// A body, whole; `None` when it is gone.
    async fn whole(&self, stored: &StoredBody) -> Result<Option<Bytes>, Error> {
        let read = async {
            let pieces: BytesMut = self.body(stored).await?.try_collect().await?;
            Ok(pieces.freeze())
        };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(gone @ (Error::BodyAbsent(_) | Error::BodyDamaged(_))) => {
                warn!(error = %Chain(&gone), "a captured call leaves without a body");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
