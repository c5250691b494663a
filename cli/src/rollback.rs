//! `funcatron rollback`: an earlier state again.

use wire::admin::{DeploymentInfo, RollbackRequest};

use crate::connection::Given;
use crate::output;
use crate::server::Server;

/// Bring back an earlier state of all routes, as a new deployment
#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// The deployment whose state to bring back; the one before the present when left out
    #[arg(long, value_name = "NUMBER")]
    to: Option<u64>,
    #[command(flatten)]
    given: Given,
}

impl Rollback {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let server = Server::choose(&self.given)?;
        let deployment: DeploymentInfo = server.post("/rollback", &RollbackRequest { to: self.to })?;
        Ok(output::line(format!("deployment {}: {}", deployment.number, deployment.action))?)
    }
}
