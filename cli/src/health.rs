//! `funcatron health`: does a service answer, for whoever watches containers that hold nothing else.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::connection::url;
use crate::{output, server};

/// Whoever answers at all does so at once.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Ask whether a service answers
///
/// A frontend does on /_funcatron/health, a Tron on /api/v1/health.
#[derive(Debug, clap::Args)]
pub(crate) struct Health {
    /// What to ask
    #[arg(default_value = "http://127.0.0.1:3000/_funcatron/health", value_parser = url)]
    url: String,
}

impl Health {
    pub(crate) fn run(self) -> Result<()> {
        let response = server::agent().get(&self.url).config().timeout_global(Some(TIMEOUT)).build().call();
        let response = response.with_context(|| format!("no answer from {}", self.url))?;
        let status = response.status();
        let body = server::read(response)?;
        if !status.is_success() {
            bail!("{} answered {status}", self.url);
        }
        Ok(output::line(String::from_utf8_lossy(&body))?)
    }
}
