//! `funcatron capture start`.

use std::time::Duration;

use wire::Percent;
use wire::admin::{CaptureInfo, CaptureRequest, RouteInfo};
use wire::capture::Filter;

use crate::connection::Given;
use crate::output::{self, Format, Output};
use crate::selection;
use crate::server::Server;
use crate::settings::quantity;

/// Begin to keep calls of a route.
#[derive(Debug, clap::Args)]
pub(super) struct Start {
    /// A route: its id or the beginning of it, its base path, or host and base path
    route: String,
    /// Which share of its calls [default: 100%]
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    sample: Option<Percent>,
    /// Only calls like this: status>=500, took>100ms, operation=getPet, method!=GET, path=/pets/1, id=…; repeatable,
    /// and each has to hold
    #[arg(long = "filter", value_name = "FILTER")]
    filters: Vec<Filter>,
    /// For how long [default: 1h]
    #[arg(long = "for", value_name = "TIME", value_parser = quantity::duration)]
    time: Option<Duration>,
    /// End it when it has so many bytes [default: 100MiB]
    #[arg(long, value_name = "SIZE", value_parser = quantity::volume)]
    max_bytes: Option<u64>,
    /// Delete it so long after its beginning, two days at most [default: 1d]
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    keep: Option<Duration>,
    /// Keep what is secret as well: credentials, cookies, API keys
    #[arg(long)]
    with_secrets: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl Start {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let server = Server::choose(&self.given)?;
        let routes: Vec<RouteInfo> = server.get("/routes")?;
        let request = CaptureRequest {
            route: selection::route(&routes, &self.route)?.id.clone(),
            sample: self.sample,
            filters: self.filters,
            for_seconds: self.time.map(quantity::whole_seconds),
            bytes_max: self.max_bytes,
            keep_seconds: self.keep.map(quantity::whole_seconds),
            secrets: self.with_secrets,
        };
        let info: CaptureInfo = server.post("/captures", &request)?;
        if self.output.format == Format::Table {
            if self.with_secrets {
                output::remark("secrets are kept: whoever has the file can use them");
            }
            output::remark(format!("`funcatron capture stop {}` ends it", info.capture.id));
        }
        super::show(self.output, &[info])
    }
}

fn share(text: &str) -> Result<Percent, String> {
    match text.parse() {
        Ok(Percent::NONE) => Err("a capture of no calls keeps nothing".to_owned()),
        read => read.map_err(|bad| bad.to_string()),
    }
}
