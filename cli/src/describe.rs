//! `funcatron describe`: one route or one bundle in full.

use anyhow::Result;
use serde::Serialize;
use wire::admin::{BundleInfo, OperationInfo, RouteInfo};

use crate::connection::Given;
use crate::output::{Format, Output};
use crate::server::Server;
use crate::{output, routes, selection, trials};

/// Show a route or a bundle in full
#[derive(Debug, clap::Args)]
pub(crate) struct Describe {
    /// A route (id or its beginning, base path, host and base path) or the beginning of a bundle's SHA-256
    #[arg(value_name = "ROUTE|SHA")]
    what: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl Describe {
    pub(crate) fn run(self) -> Result<()> {
        let server = Server::choose(&self.given)?;
        let routes: Vec<RouteInfo> = server.get("/routes")?;
        let missed = match selection::route(&routes, &self.what) {
            Ok(route) => return self.show(route, &route_facts(route), &route.operations),
            Err(missed) => missed,
        };
        let bundles: Vec<BundleInfo> = server.get("/bundles")?;
        match selection::bundle(&bundles, &self.what) {
            Some(bundle) => self.show(bundle, &bundle_facts(bundle), &bundle.operations),
            None => Err(missed.context(format!("no bundle begins with {}", self.what))),
        }
    }

    fn show<T: Serialize>(
        &self,
        value: &T,
        facts: &[(&str, String)],
        operations: &[OperationInfo],
    ) -> Result<()> {
        if self.output.format == Format::Json {
            return output::json(value);
        }
        for (name, fact) in facts {
            output::line(format!("{name:<12}{}", output::printable(fact)).trim_end())?;
        }
        let rows = operations
            .iter()
            .map(|operation| vec![operation.method.clone(), operation.path.clone(), operation.id.clone()]);
        output::line("")?;
        Ok(output::line(output::table(&["METHOD", "PATH", "OPERATION"], rows.collect()))?)
    }
}

fn route_facts(route: &RouteInfo) -> Vec<(&'static str, String)> {
    let mut placements: Vec<_> = route.bundles.iter().map(|bundle| bundle.placement.to_string()).collect();
    placements.retain(|placement| !placement.is_empty());
    placements.dedup();
    vec![
        ("route", route.id.to_string()),
        ("title", route.title.clone()),
        ("host", route.host.clone()),
        ("base path", route.base_path.clone()),
        ("bundles", routes::shares(route)),
        ("props", list(&route.props)),
        ("outbound", list(&route.outbound)),
        ("placement", none_or(placements.join(" or "))),
        ("queued", route.queued.to_string()),
        ("on trial", none_or(route.trials.iter().map(trials::told).collect::<Vec<_>>().join(" | "))),
        ("alarm", none_or(route.alarm.clone().unwrap_or_default())),
    ]
}

fn bundle_facts(bundle: &BundleInfo) -> Vec<(&'static str, String)> {
    vec![
        ("bundle", bundle.sha.to_string()),
        ("title", bundle.title.clone()),
        ("version", bundle.version.clone()),
        ("host", bundle.host.clone()),
        ("base path", bundle.base_path.clone()),
        ("code", bundle.code.clone()),
        ("placement", none_or(bundle.placement.to_string())),
        ("bytes", bundle.size.to_string()),
    ]
}

fn list(words: &[String]) -> String {
    none_or(words.join(", "))
}

fn none_or(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}
