//! `funcatron capture export`: a file that holds all that is needed to look at calls elsewhere, or to run them again.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use wire::capture::{CaptureEntry, CaptureHeader};
use wire::decode_line;

use super::har;
use crate::connection::Given;
use crate::draft::Draft;
use crate::output;
use crate::server::Server;

/// Write what a capture has kept into one file.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// The id of a capture, or its beginning or end
    id: String,
    /// The file; standard output when left out
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: Option<PathBuf>,
    /// As an HTTP archive, for browsers and their like; it cannot be imported
    #[arg(long)]
    har: bool,
    #[command(flatten)]
    given: Given,
}

impl Export {
    pub(super) fn run(self) -> Result<()> {
        // What clients sent is for the owner of the file. Where it cannot be written, nothing needs to be read.
        let draft = self.file.as_deref().map(Draft::of).transpose()?;
        let server = Server::choose(&self.given)?;
        let path = format!("{}/export", super::path(&server, &self.id)?);
        let mut lines = server.lines(&path)?;
        let first = lines.next().context("the server sent nothing")?.context("read the answer")?;
        let header: CaptureHeader = decode_line(first.as_bytes()).context("understand the header")?;
        let calls = lines.map(|line| line.context("the server broke off"));
        let written = match draft {
            Some(mut draft) => {
                let written = self.write(&mut draft, &first, &header, calls)?;
                draft.finish()?;
                written
            }
            None => self.write(&mut BufWriter::new(io::stdout().lock()), &first, &header, calls)?,
        };
        if let Some(file) = &self.file {
            output::remark(format!("wrote {written} calls to {}", file.display()));
        }
        if header.missed > 0 {
            output::remark(format!("{} calls were missed: there was no room for them", header.missed));
        }
        Ok(())
    }

    fn write(
        &self,
        out: &mut impl Write,
        first: &str,
        header: &CaptureHeader,
        calls: impl Iterator<Item = Result<String>>,
    ) -> Result<u64> {
        let mut written = 0;
        match self.har {
            true => har::begin(out, header)?,
            false => writeln!(out, "{first}")?,
        }
        for line in calls {
            let line = line?;
            if self.har {
                let entry: CaptureEntry = decode_line(line.as_bytes()).context("understand a call")?;
                har::entry(out, &entry, written == 0)?;
            } else {
                writeln!(out, "{line}")?;
            }
            written += 1;
        }
        ensure!(
            written == header.entries,
            "the server broke off after {written} of {} calls",
            header.entries
        );
        if self.har {
            har::end(out)?;
        }
        out.flush()?;
        Ok(written)
    }
}
