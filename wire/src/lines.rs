//! JSON lines: how messages lie in the payload of a broker message, one per line.

use std::iter::once;

use bytes::Bytes;
use memchr::memchr_iter;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Version;

/// More lines than the largest message of calls or answers can have: each costs whoever reads it far more than it
/// cost whoever wrote it.
const LINES_MAX: usize = 2_048;

/// A payload that is not a message of this version.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Not JSON, or not of the message's shape.
    #[error("message is not of the expected shape")]
    Malformed(#[from] serde_json::Error),
    /// Written by a build that speaks another major version; never guessed at.
    #[error("message version {0} is not supported")]
    Version(u32),
    /// The payload holds no line.
    #[error("message is empty")]
    Empty,
    /// The payload holds more lines than a message of ours can have.
    #[error("message has over {LINES_MAX} lines")]
    Crowded,
}

/// Encodes one message as a line, with its line break.
///
/// # Errors
/// When the message cannot be written as JSON, which no message type of ours brings about.
pub fn encode_line<T: Serialize>(message: &T) -> Result<Bytes, MessageError> {
    let mut line = Vec::with_capacity(512);
    serde_json::to_writer(&mut line, message)?;
    line.push(b'\n');
    Ok(Bytes::from(line))
}

/// Lines as one payload, in this order.
pub fn join_lines(lines: &[Bytes]) -> Bytes {
    match lines {
        [line] => line.clone(),
        lines => Bytes::from(lines.concat()),
    }
}

/// The lines of a payload, each without its line break; empty ones are skipped.
pub fn split_lines(payload: &Bytes) -> impl Iterator<Item = Bytes> {
    let mut begin = 0;
    memchr_iter(b'\n', payload).chain(once(payload.len())).filter_map(move |end| {
        let line = begin..end;
        begin = end + 1;
        (!line.is_empty()).then(|| payload.slice(line))
    })
}

/// The lines of a payload of calls, as many as one may have.
///
/// # Errors
/// When there is none, or there are more.
pub fn bounded_lines(payload: &Bytes) -> Result<Vec<Bytes>, MessageError> {
    let lines: Vec<Bytes> = split_lines(payload).take(LINES_MAX + 1).collect();
    match lines.len() {
        0 => Err(MessageError::Empty),
        1..=LINES_MAX => Ok(lines),
        _ => Err(MessageError::Crowded),
    }
}

/// Decodes every line of a payload as a message of our version.
///
/// # Errors
/// For the first line that is malformed or of another version, and for a payload without lines.
pub fn decode_lines<T: DeserializeOwned>(payload: &Bytes) -> Result<Vec<T>, MessageError> {
    let messages: Vec<T> = split_lines(payload).map(|line| decode_line(&line)).collect::<Result<_, _>>()?;
    if messages.is_empty() { Err(MessageError::Empty) } else { Ok(messages) }
}

/// Decodes one line.
///
/// # Errors
/// When it is malformed or of another version.
pub fn decode_line<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, MessageError> {
    serde_json::from_slice(line).map_err(|malformed| match version_of(line) {
        Some(v) if v != Version::NUMBER => MessageError::Version(v),
        _ => MessageError::Malformed(malformed),
    })
}

fn version_of(line: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u32,
    }
    serde_json::from_slice::<Versioned>(line).ok().map(|message| message.v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note {
        v: Version,
        text: String,
    }

    #[test]
    fn lines_come_back_in_order() {
        let notes = ["a\nb", ""].map(|text| Note { v: Version, text: text.into() });
        let payload: Bytes = notes.iter().flat_map(|note| encode_line(note).unwrap()).collect();
        assert_eq!(decode_lines::<Note>(&payload).unwrap(), notes);
        let lines: Vec<Bytes> = split_lines(&Bytes::from_static(b"\na\n\nbc")).collect();
        assert_eq!(lines, ["a", "bc"]);
    }

    #[test]
    fn another_major_version_is_told_apart_from_garbage() {
        assert!(matches!(decode_line::<Note>(br#"{"v":2,"other":1}"#), Err(MessageError::Version(2))));
        assert!(matches!(decode_line::<Note>(br#"{"v":2,"text":"a"}"#), Err(MessageError::Version(2))));
        assert!(matches!(decode_line::<Note>(br#"{"v":1}"#), Err(MessageError::Malformed(_))));
        assert!(matches!(decode_lines::<Note>(&Bytes::from_static(b"\n\n")), Err(MessageError::Empty)));
    }
}
