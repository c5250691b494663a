//! `funcatron version`.

use crate::output;

/// Print the version
#[derive(Debug, clap::Args)]
pub(crate) struct Version {}

impl Version {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        Ok(output::line(concat!("funcatron ", env!("CARGO_PKG_VERSION")))?)
    }
}
