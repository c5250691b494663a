//! `funcatron routes`: what is served where.

use wire::admin::RouteInfo;

use crate::connection::Given;
use crate::output::Output;
use crate::server::Server;

/// List the routes and the bundles that serve them
#[derive(Debug, clap::Args)]
pub(crate) struct Routes {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl Routes {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let routes: Vec<RouteInfo> = Server::choose(&self.given)?.get("/routes")?;
        let header = ["ROUTE", "HOST", "BASE PATH", "TITLE", "BUNDLES", "QUEUED", "OPERATIONS", "ALARM"];
        self.output.show(&routes, &header, || routes.iter().map(row).collect())
    }
}

fn row(route: &RouteInfo) -> Vec<String> {
    vec![
        route.id.to_string(),
        route.host.clone(),
        route.base_path.clone(),
        route.title.clone(),
        shares(route),
        route.queued.to_string(),
        route.operations.len().to_string(),
        route.alarm.clone().unwrap_or_default(),
    ]
}

/// The bundles of a route; with their shares when there are several.
pub(crate) fn shares(route: &RouteInfo) -> String {
    let alone = route.bundles.len() == 1;
    let share = |bundle: &wire::WeightedBundle| {
        let on_trial = if bundle.trial.is_some() { " (on trial)" } else { "" };
        if alone {
            bundle.sha.short().to_owned()
        } else {
            format!("{}={}{on_trial}", bundle.sha.short(), bundle.weight)
        }
    };
    route.bundles.iter().map(share).collect::<Vec<_>>().join(" ")
}
