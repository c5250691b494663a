//! `Output`: what a call prints, by lines, from a level on and up to a limit.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wire::{Level, LogLine, Stream, Timestamp};

/// Lines of one call: without it, 64 KiB of line breaks would become a record of megabytes.
const LINES_MAX: usize = 1000;
/// What a guest may write at a time.
const CHUNK_MAX: usize = 64 << 10;
/// What begins a line whose level the engine of JavaScript has marked (`funcs/js-engine/prelude/console.js`): a control
/// character that no text begins with.
const MARK: u8 = 0x02;

/// What a call prints. Cheap to clone; the clones share it.
#[derive(Clone)]
pub(super) struct Output(Arc<Mutex<Text>>);

struct Text {
    /// What moments are counted from.
    began: Instant,
    /// Lines of lower ones are dropped.
    level_min: Level,
    lines: Vec<LogLine>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    bytes_left: usize,
    truncated: bool,
}

impl Output {
    pub(super) fn new(bytes_max: usize, level_min: Level) -> Self {
        let (lines, stdout, stderr) = Default::default();
        let (began, bytes_left) = (Instant::now(), bytes_max);
        let text = Text { began, level_min, lines, stdout, stderr, bytes_left, truncated: false };
        Self(Arc::new(Mutex::new(text)))
    }

    /// The end of the output that becomes `stream`.
    pub(super) fn end(&self, stream: Stream) -> End {
        End { output: self.clone(), stream }
    }

    /// Takes the lines, an unfinished one at the end included.
    pub(super) fn take(&self) -> Vec<LogLine> {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in [Stream::Stdout, Stream::Stderr] {
            text.end_line(stream, false);
        }
        if text.truncated {
            let note = "output truncated: the limit of one call is reached".to_owned();
            text.add(Stream::Platform, Level::Warn, note);
        }
        std::mem::take(&mut text.lines)
    }

    fn write(&self, stream: Stream, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(stream, bytes);
    }
}

impl Text {
    fn write(&mut self, stream: Stream, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, is_end) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let (kept, cut) = text.split_at(text.len().min(self.bytes_left));
            self.bytes_left -= kept.len();
            self.truncated |= !cut.is_empty();
            self.unfinished(stream).extend_from_slice(kept);
            if is_end {
                // Of one that is cut off entirely nothing is left, not even an empty line.
                self.end_line(stream, cut.is_empty());
            }
        }
    }

    fn unfinished(&mut self, stream: Stream) -> &mut Vec<u8> {
        if stream == Stream::Stdout { &mut self.stdout } else { &mut self.stderr }
    }

    fn end_line(&mut self, stream: Stream, even_if_empty: bool) {
        let line = std::mem::take(self.unfinished(stream));
        if line.is_empty() && !even_if_empty {
            return;
        }
        let (usual, text) = marked(&line).unwrap_or_else(|| (usual(stream), &line));
        let text = String::from_utf8_lossy(text).into_owned();
        let level = Level::said_by(&text).unwrap_or(usual);
        if level < self.level_min {
            // It takes no room from what is kept.
            self.bytes_left += line.len();
            return;
        }
        if self.lines.len() >= LINES_MAX {
            self.truncated = true;
            return;
        }
        self.add(stream, level, text);
    }

    fn add(&mut self, stream: Stream, level: Level, text: String) {
        let at_us = u64::try_from(self.began.elapsed().as_micros()).ok();
        self.lines.push(LogLine { at: Timestamp::now(), at_us, stream, level, text });
    }
}

/// The level of a line that is marked, and its text: the console of JavaScript has more levels than there are streams.
fn marked(line: &[u8]) -> Option<(Level, &[u8])> {
    let (mark, text) = line.split_at_checked(2)?;
    let level = match mark {
        [MARK, b'd'] => Level::Debug,
        [MARK, b'w'] => Level::Warn,
        _ => return None,
    };
    Some((level, text))
}

/// The level of a line that says nothing of it.
fn usual(stream: Stream) -> Level {
    if stream == Stream::Stderr { Level::Error } else { Level::Info }
}

/// A guest's standard output or standard error.
#[derive(Clone)]
pub(super) struct End {
    output: Output,
    stream: Stream,
}

impl IsTerminal for End {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for End {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl OutputStream for End {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output.write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK_MAX)
    }
}

#[async_trait]
impl Pollable for End {
    async fn ready(&mut self) {}
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.output.write(self.stream, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(output: &Output) -> Vec<(Stream, String)> {
        output.take().into_iter().map(|line| (line.stream, line.text)).collect()
    }

    #[test]
    fn pieces_become_lines_of_their_stream() {
        let output = Output::new(100, Level::Info);
        output.write(Stream::Stdout, b"one\ntw");
        output.write(Stream::Stderr, b"oops");
        output.write(Stream::Stdout, b"o\n\n");
        let expected = [
            (Stream::Stdout, "one"),
            (Stream::Stdout, "two"),
            (Stream::Stdout, ""),
            (Stream::Stderr, "oops"),
        ];
        assert_eq!(texts(&output), expected.map(|(stream, text)| (stream, text.to_owned())));
    }

    #[test]
    fn output_over_the_limit_is_cut_and_says_so() {
        for (bytes_max, text) in [(4, "abcdef\n".to_owned()), (1 << 20, "\n".repeat(LINES_MAX + 5))] {
            let output = Output::new(bytes_max, Level::Info);
            output.write(Stream::Stdout, text.as_bytes());
            let lines = texts(&output);
            assert!(lines.len() <= LINES_MAX + 1);
            assert_eq!(lines.last().unwrap().0, Stream::Platform);
        }
    }

    #[test]
    fn a_mark_is_the_level_of_a_line_that_says_nothing_of_it_and_is_taken_off() {
        let output = Output::new(1_000, Level::Debug);
        output.write(Stream::Stdout, b"\x02dlooked\n\x02dERROR none\n\x02\n\x02x\n");
        output.write(Stream::Stderr, b"\x02wfull\n");
        let lines = output.take();
        let lines: Vec<_> = lines.iter().map(|line| (line.level, line.text.as_str())).collect();
        let expected = [
            (Level::Debug, "looked"),
            (Level::Error, "ERROR none"),
            (Level::Info, "\u{2}"),
            (Level::Info, "\u{2}x"),
            (Level::Warn, "full"),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn lines_below_the_level_are_dropped_and_take_no_room() {
        let output = Output::new(30, Level::Warn);
        output.write(Stream::Stdout, "DEBUG looked\nplain\n".repeat(20).as_bytes());
        output.write(Stream::Stdout, b"WARN full\n");
        output.write(Stream::Stderr, b"oops");
        let lines: Vec<_> = output.take().into_iter().map(|line| (line.level, line.text)).collect();
        assert_eq!(lines, [(Level::Warn, "WARN full".to_owned()), (Level::Error, "oops".to_owned())]);
    }
}
