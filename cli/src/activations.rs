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
        let header =
            ["AT", "STATUS", "TOOK", "QUEUED", "METHOD", "PATH", "OPERATION", "BUNDLE", "REQUEST", "NOTE"];
        self.output.show(&activations, &header, || activations.iter().map(row).collect())
    }
}

fn row(activation: &Activation) -> Vec<String> {
    vec![
        clock::utc(activation.at),
        activation.status.to_string(),
        took(activation.service_us),
        // A replay is as old as the call that it was.
        activation.replay_of.map_or_else(|| format!("{} ms", activation.queued_ms), |_| "-".to_owned()),
        activation.method.clone(),
        activation.path.clone(),
        activation.operation.clone().unwrap_or_else(|| "-".to_owned()),
        activation.bundle.short().to_owned(),
        activation.request_id.to_string(),
        note(activation).to_owned(),
    ]
}

/// What sets it apart from a call of a client.
fn note(activation: &Activation) -> &'static str {
    match (activation.replay_of, &activation.difference) {
        (None, _) => "",
        (Some(_), None) => "replay",
        (Some(_), Some(_)) => "replay, differs",
    }
}

/// A duration to three digits or so.
pub(crate) fn took(micros: u64) -> String {
    let (millis, tenths) = (micros / 1000, micros % 1000 / 100);
    if millis < 100 { format!("{millis}.{tenths} ms") } else { format!("{millis} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_told_from_a_call() {
        let mut activation: Activation = serde_json::from_value(serde_json::json!({
            "v": 1, "id": "0198f7a2-c3d4-7e10-a1b2-c3d4e5f6a7b8", "request_id": "r1", "namespace": "default",
            "route": "0123456789abcdef", "bundle": "0".repeat(64), "attempt": 1, "member": "runner-0123456789ab",
            "method": "GET", "path": "/", "status": 500, "at": 0, "queued_ms": 7, "service_us": 1,
        }))
        .unwrap();
        let shown = |activation: &Activation| {
            let row = row(activation);
            (row[3].clone(), row[9].clone())
        };
        assert_eq!(shown(&activation), ("7 ms".into(), String::new()));
        activation.replay_of = Some(activation.id);
        assert_eq!(shown(&activation), ("-".into(), "replay".into()));
        activation.difference = Some("status 200 became 500".into());
        assert_eq!(shown(&activation), ("-".into(), "replay, differs".into()));
    }
}
