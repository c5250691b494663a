//! `funcatron activations`: the latest executions.

use wire::Activation;
use wire::admin::RouteInfo;

use crate::clock;
use crate::connection::Given;
use crate::logs::{Asked, query};
use crate::output::Output;
use crate::server::Server;

/// List the latest executions: when, what, how long, with which status
#[derive(Debug, clap::Args)]
pub(crate) struct Activations {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl Activations {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let server = Server::choose(&self.given)?;
        let routes: Vec<RouteInfo> =
            if self.asked.route.is_some() { server.get("/routes")? } else { Vec::new() };
        let activations: Vec<Activation> =
            server.get(&format!("/activations{}", query(&self.asked, &routes)?))?;
        let header = ["AT", "STATUS", "TOOK", "QUEUED", "METHOD", "PATH", "OPERATION", "BUNDLE", "REQUEST"];
        self.output.show(&activations, &header, || activations.iter().map(row).collect())
    }
}

fn row(activation: &Activation) -> Vec<String> {
    vec![
        clock::utc(activation.at),
        activation.status.to_string(),
        took(activation.service_us),
        format!("{} ms", activation.queued_ms),
        activation.method.clone(),
        activation.path.clone(),
        activation.operation.clone().unwrap_or_else(|| "-".to_owned()),
        activation.bundle.short().to_owned(),
        activation.request_id.to_string(),
    ]
}

/// A duration to three digits or so.
pub(crate) fn took(micros: u64) -> String {
    let (millis, tenths) = (micros / 1000, micros % 1000 / 100);
    if millis < 100 { format!("{millis}.{tenths} ms") } else { format!("{millis} ms") }
}
