//! `funcatron capture import`.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::har;
use crate::connection::Given;
use crate::output::Output;
use crate::server::Server;

/// Bring a file of captured calls to a server.
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// A file that `export` wrote
    file: PathBuf,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl Import {
    pub(super) fn run(self) -> Result<()> {
        let file = File::open(&self.file).with_context(|| format!("read {}", self.file.display()))?;
        ensure!(!har::is_one(&self.file)?, "{} is a HAR: export without --har", self.file.display());
        let server = Server::choose(&self.given)?;
        super::show(self.output, &[server.post_file("/captures/import", "application/x-ndjson", file)?])
    }
}
