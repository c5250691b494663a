//! `funcatron log-level`: from which level on the log lines of a route are kept.

use std::collections::HashMap;
use std::time::Duration;

use wire::admin::{LevelRequest, RouteInfo};
use wire::{Level, RouteId, RouteLevel, Timestamp};

use crate::connection::Given;
use crate::output::{self, Output};
use crate::server::Server;
use crate::settings::quantity;
use crate::{clock, selection};

const AFTER_HELP: &str = "\
Every runner follows within a second, and goes back to info by itself. With debug, the platform adds lines of its own to
each call, and Funcs see the header x-funcatron-log-level.

Example: look closely at one route for ten minutes
  funcatron log-level /pets debug --for 10m
  funcatron logs -f /pets --level debug";

/// See more, or less, of what the Funcs of a route print, for a while
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct LogLevel {
    /// A route: its id or the beginning of it, its base path, or host and base path; without one, list them
    route: Option<String>,
    /// The least level that is kept: trace, debug, info, warn or error
    #[arg(value_parser = level, conflicts_with = "reset")]
    level: Option<Level>,
    /// For how long [default: 10m]
    #[arg(long = "for", value_name = "TIME", value_parser = quantity::duration, requires = "level")]
    time: Option<Duration>,
    /// Go back to info now
    #[arg(long, requires = "route")]
    reset: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

/// Reads a level.
pub(crate) fn level(text: &str) -> Result<Level, String> {
    Level::parse(text)
        .ok_or_else(|| format!("'{text}' is no level: {}", Level::ALL.map(Level::as_str).join(", ")))
}

impl LogLevel {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let server = Server::choose(&self.given)?;
        let routes: Vec<RouteInfo> = server.get("/routes")?;
        let Some(text) = &self.route else { return self.list(&routes, &server.get::<Vec<_>>("/levels")?) };
        let route = selection::route(&routes, text)?;
        let path = format!("/levels/{}", route.id);
        match self.level {
            Some(level) => {
                let request = LevelRequest { level, for_seconds: self.time.map(quantity::whole_seconds) };
                self.list(&routes, &[server.put(&path, &request)?])
            }
            None if self.reset => {
                server.delete(&path)?;
                Ok(output::line(format!("{} is at info again", selection::name(route)))?)
            }
            None => {
                let levels: Vec<RouteLevel> = server.get("/levels")?;
                let levels: Vec<_> = levels.into_iter().filter(|level| level.route == route.id).collect();
                self.list(&routes, &levels)
            }
        }
    }

    fn list(&self, routes: &[RouteInfo], levels: &[RouteLevel]) -> anyhow::Result<()> {
        let names: HashMap<&RouteId, String> =
            routes.iter().map(|route| (&route.id, selection::name(route))).collect();
        let row = |level: &RouteLevel| {
            let name = names.get(&level.route).cloned().unwrap_or_else(|| level.route.to_string());
            let left = level.until.remaining(Timestamp::now()).as_secs();
            vec![
                name,
                level.level.to_string(),
                clock::utc(level.until),
                format!("{left} s"),
                level.by.clone(),
            ]
        };
        let header = ["ROUTE", "LEVEL", "UNTIL", "LEFT", "BY"];
        self.output.show(levels, &header, || levels.iter().map(row).collect())
    }
}
