//! `funcatron history`: the deployment log.

use wire::admin::DeploymentInfo;

use crate::clock;
use crate::connection::Given;
use crate::output::Output;
use crate::server::Server;

/// List the deployments: who changed what, when
#[derive(Debug, clap::Args)]
pub(crate) struct History {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl History {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let deployments: Vec<DeploymentInfo> = Server::choose(&self.given)?.get("/deployments")?;
        let header = ["NUMBER", "AT", "BY", "ACTION"];
        self.output.show(&deployments, &header, || deployments.iter().map(row).collect())
    }
}

fn row(deployment: &DeploymentInfo) -> Vec<String> {
    let DeploymentInfo { number, at, by, action } = deployment;
    vec![number.to_string(), clock::utc(*at), by.clone(), action.clone()]
}
