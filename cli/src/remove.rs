//! `funcatron remove`: a route goes.

use wire::admin::RouteInfo;

use crate::connection::Given;
use crate::server::Server;
use crate::{output, selection};

/// Stop serving a route
#[derive(Debug, clap::Args)]
#[command(visible_aliases = ["rm", "delete"])]
pub(crate) struct Remove {
    /// A route: its id or the beginning of it, its base path, or host and base path
    route: String,
    #[command(flatten)]
    given: Given,
}

impl Remove {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let server = Server::choose(&self.given)?;
        let routes: Vec<RouteInfo> = server.get("/routes")?;
        let route = selection::route(&routes, &self.route)?;
        server.delete(&format!("/routes/{}", route.id))?;
        Ok(output::line(format!("removed {} ({})", selection::name(route), route.id))?)
    }
}
