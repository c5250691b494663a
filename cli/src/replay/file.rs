//! `CaptureFile`: captured calls in a file, read line by line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use wire::capture::{CaptureEntry, CaptureHeader};
use wire::{BundleSha, decode_line};

use super::choice::Choice;
use crate::capture::har;

/// A body may be as long as 64 MiB and be written as base64; what is longer is no line of ours.
const LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Captured calls in a file.
#[derive(Debug)]
pub(crate) struct CaptureFile {
    pub(crate) path: PathBuf,
    pub(crate) header: CaptureHeader,
}

/// A line with a call.
#[derive(Debug)]
pub(crate) struct Line {
    /// As it stands in the file, with its line break.
    pub(crate) text: Vec<u8>,
    pub(crate) entry: Arc<CaptureEntry>,
}

/// What is in a file.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) entries: u64,
    /// How many of them are meant.
    pub(crate) chosen: u64,
    /// The bundles that answered those.
    pub(crate) bundles: Vec<BundleSha>,
}

impl CaptureFile {
    /// Opens a file and reads its first line.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut lines = Lines::open(path)?;
        if har::is_one(path)? {
            bail!("{} is a HAR, from which nothing can be run again: export without --har", path.display());
        }
        let Some(first) = lines.next()? else { bail!("{} is empty", path.display()) };
        let header = decode_line(&first).with_context(|| {
            format!("{} is no file of captured calls: its first line is no header", path.display())
        })?;
        Ok(Self { path: path.to_owned(), header })
    }

    /// The calls, in the order of the file.
    pub(crate) fn entries(&self) -> Result<Entries> {
        let mut lines = Lines::open(&self.path)?;
        lines.next()?;
        Ok(Entries(lines))
    }

    /// Looks through the whole file, so that what is wrong with it is known before anything is run: where it was cut
    /// off, a difference may have been.
    pub(crate) fn survey(&self, choice: &Choice) -> Result<Survey> {
        let mut survey = Survey::default();
        for line in self.entries()? {
            let entry = line?.entry;
            survey.entries += 1;
            if choice.takes(&entry) {
                survey.chosen += 1;
                if !survey.bundles.contains(&entry.activation.bundle) {
                    survey.bundles.push(entry.activation.bundle.clone());
                }
            }
        }
        if survey.entries != self.header.entries {
            let (path, told, found) = (self.path.display(), self.header.entries, survey.entries);
            bail!("{path} is not whole: it tells of {told} calls and has {found}");
        }
        Ok(survey)
    }
}

/// The calls of a file. It ends with the first line that cannot be read.
pub(crate) struct Entries(Lines);

impl Iterator for Entries {
    type Item = Result<Line>;

    fn next(&mut self) -> Option<Result<Line>> {
        let text = match self.0.next() {
            Ok(text) => text?,
            Err(error) => return Some(Err(error)),
        };
        let entry = decode_line(&text).with_context(|| self.0.place());
        Some(entry.map(|entry| Line { text, entry: Arc::new(entry) }))
    }
}

/// The lines of a file, none of them too long.
struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    number: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
        if !file.metadata()?.is_file() {
            bail!("{} is no regular file: captured calls are read more than once", path.display());
        }
        Ok(Self { path: path.to_owned(), reader: BufReader::new(file), number: 0 })
    }

    /// The next line that is not empty.
    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            self.number += 1;
            let mut line = Vec::new();
            let read = self.reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
            let len = read.with_context(|| self.place())?;
            if len as u64 == LINE_BYTES_MAX {
                bail!("{}: it is longer than {LINE_BYTES_MAX} bytes", self.place());
            }
            match (len, line.trim_ascii().is_empty()) {
                (0, _) => return Ok(None),
                (_, true) => {}
                (_, false) => return Ok(Some(line)),
            }
        }
    }

    fn place(&self) -> String {
        format!("line {} of {}", self.number, self.path.display())
    }
}
