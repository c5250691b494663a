//! `funcatron capture start`.

use std::time::Duration;

use anyhow::ensure;
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
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    time: Option<Duration>,
    /// End it when it has so many bytes [default: 100MiB]
    #[arg(long, value_name = "SIZE", value_parser = volume)]
    max_bytes: Option<u64>,
    /// Delete it so long after its beginning, two days at most [default: 1d]
    #[arg(long, value_name = "TIME", value_parser = time)]
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
        if let (Some(time), Some(keep)) = (self.time, self.keep) {
            ensure!(time <= keep, "--keep is shorter than --for: it would be deleted while it runs");
        }
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

/// A share with its sign: without it nobody can tell whether 0.1 is a tenth.
fn share(text: &str) -> Result<Percent, String> {
    if !text.ends_with('%') {
        return Err("it is no share such as 10% or 0.5%".to_owned());
    }
    match text.parse() {
        Ok(Percent::NONE) => Err("a capture of no calls keeps nothing".to_owned()),
        read => read.map_err(|bad| bad.to_string()),
    }
}

fn volume(text: &str) -> Result<u64, String> {
    match quantity::volume(text)? {
        bytes if bytes > CaptureRequest::BYTES_MAX => {
            Err(format!("a capture may have {} GiB at most", CaptureRequest::BYTES_MAX >> 30))
        }
        bytes => Ok(bytes),
    }
}

fn time(text: &str) -> Result<Duration, String> {
    match quantity::duration(text)? {
        time if time > CaptureRequest::KEEP_MAX => {
            Err(format!("a capture is kept for {} hours at most", CaptureRequest::KEEP_MAX.as_secs() / 3_600))
        }
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_server_would_keep_is_refused_where_it_is_typed() {
        assert!(share("10%").is_ok() && share("0%").is_err() && share("0.1").is_err());
        assert_eq!(volume("1GiB"), Ok(CaptureRequest::BYTES_MAX));
        assert_eq!(volume("2GB"), Err("a capture may have 1 GiB at most".to_owned()));
        assert_eq!(time("2d"), Ok(CaptureRequest::KEEP_MAX));
        assert_eq!(time("3d"), Err("a capture is kept for 48 hours at most".to_owned()));
    }
}
