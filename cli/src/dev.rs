//! `funcatron dev`: the whole platform in one process, serving what is on disk as it changes.

mod announcement;
mod listeners;
mod platform;
mod scan;
mod site;
mod state;
mod tail;
mod watcher;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use telemetry::Endpoint;
use wire::Percent;
use wire::egress::AllowList;

use crate::connection::STATE_DIR;
use crate::logging::LogFormat;
use crate::settings::quantity;
use crate::signals::Signals;
use crate::telling::{self, Telling};
use listeners::Listeners;
use platform::Platform;
use site::Site;
use state::State;
use watcher::Watcher;

/// Serve Funcs on this machine and reload them when they are saved
///
/// A path is a bundle, a Func folder (a document beside func.wasm or index.js), or a folder of such
/// folders. Needs nothing else to be installed or running. Routes that an earlier run left behind, deployed
/// or no longer on disk, are removed at the start.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "watch")]
pub(crate) struct Dev {
    /// What to serve
    #[arg(default_value = ".", value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// Where Funcs answer; 0 takes a free port
    #[arg(short, long, default_value_t = 3000)]
    port: u16,
    /// Where the admin API answers; 0 takes a free port
    #[arg(long, default_value_t = 3001)]
    admin_port: u16,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Where the state is kept; other commands look for it in .funcatron
    #[arg(long, default_value = STATE_DIR, value_name = "DIR")]
    state: PathBuf,
    /// Where results of calls that nobody waits for may be posted (X-Callback-Url) [default: nowhere]
    #[arg(long, value_name = "HOST[:PORT],...", value_parser = quantity::hosts)]
    callbacks: Option<AllowList>,
    /// Where traces are sent to, as OTLP over HTTP: http://HOST:4318
    #[arg(long, env = telling::OTEL_ENDPOINT, value_name = "URL")]
    otlp_endpoint: Option<Endpoint>,
    /// Of requests that come without a decision, so many are traced
    #[arg(long, default_value_t = Percent::ALL, value_name = "SHARE")]
    trace_sample: Percent,
}

/// Editors write a file in several steps; a save is over when nothing happens for this long.
const QUIET: Duration = Duration::from_millis(20);
/// A folder that never comes to rest is looked at this often nevertheless.
const RESTLESS: Duration = Duration::from_millis(200);

impl Dev {
    /// Serves until it is told to stop.
    pub(crate) fn run(self, log_format: LogFormat) -> Result<()> {
        // One thread for all that waits; Funcs run on the runner's own.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.serve(log_format))
    }

    async fn serve(self, log_format: LogFormat) -> Result<()> {
        let begun = Instant::now();
        let mut signals = Signals::listen().context("listen to signals")?;
        let listeners = Listeners::bind(self.host, self.port, self.admin_port).await?;
        let (front, admin) = (listeners.front_url()?, listeners.admin_url()?);
        let state = State::open(self.state)?;
        let telling = Telling::tracing(self.otlp_endpoint, self.trace_sample);
        let mut platform =
            Platform::start(listeners, &state, self.callbacks.unwrap_or_default(), telling).await?;
        tail::start(&mut platform, log_format).await?;

        let mut watcher = Watcher::new()?;
        let mut site = Site::new(platform.handle(), self.paths);
        tokio::select! {
            seen = sync(&mut site, &mut watcher) => seen?,
            ended = platform.ended() => return Err(ended),
            () = signals.stop() => return Ok(()),
        }
        let running = state.announce(&admin, &front)?;
        announcement::print(&front, &admin, &state, &site, begun.elapsed())?;

        let served = tokio::select! {
            broken = follow(&mut site, &mut watcher) => Err(broken),
            ended = platform.ended() => Err(ended),
            () = signals.stop() => Ok(()),
        };
        drop(running);
        let drained = platform.drain(&mut signals).await;
        served.and(drained)
    }
}

/// Reloads what is saved, for as long as that works.
async fn follow(site: &mut Site, watcher: &mut Watcher) -> anyhow::Error {
    loop {
        watcher.changed(QUIET, RESTLESS).await;
        if let Err(error) = sync(site, watcher).await {
            return error;
        }
    }
}

/// Brings the platform in line with what is on disk. A folder that is new is looked at again once it is
/// watched: what was written into it before that made no event.
async fn sync(site: &mut Site, watcher: &mut Watcher) -> Result<()> {
    loop {
        let folders = site.sync().await?;
        if !watcher.cover(folders)? {
            return Ok(());
        }
    }
}
