//! `funcatron top`: what the platform does, as it happens.

mod figures;
mod screen;
mod table;
mod view;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use wire::admin::Stats;

use crate::connection::Given;
use crate::output::{self, Format, Output};
use crate::server::Server;
use crate::signals::Signals;
use crate::trouble;
use screen::Screen;
use view::{Room, View};

/// As often as members report: there is nothing new in between.
const INTERVAL: Duration = Duration::from_secs(1);

/// Show what routes and runners do at present
///
/// A table that is refreshed each second, until Ctrl-C; where standard output is no terminal, one table. Rates and times
/// are of the last ten seconds: QUEUED are calls that wait, at the broker or in runners, WAITED is how long they did,
/// P50 and P99 how long they took then, CPU how much of a processor, and COST/1M what a million of them cost.
#[derive(Debug, clap::Args)]
pub(crate) struct Top {
    /// Show it once
    #[arg(long)]
    once: bool,
    /// Show it once, as JSON: the same as -o json
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl Top {
    pub(crate) fn run(self) -> Result<()> {
        let server = Server::choose(&self.given)?;
        if self.json || self.output.format == Format::Json {
            return output::json(&stats(&server)?);
        }
        if self.once || !io::stdout().is_terminal() {
            let view = View { stats: &stats(&server)?, trouble: None };
            return Ok(output::line(view.lines(Room::Endless).join("\n"))?);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let watched = runtime.block_on(watch(Arc::new(server)));
        // A question that has no answer yet is not waited for.
        runtime.shutdown_background();
        watched
    }
}

/// Shows it until somebody has seen enough. A server that is away for a while is asked again.
async fn watch(server: Arc<Server>) -> Result<()> {
    let mut signals = Signals::listen().context("listen to signals")?;
    let mut ticks = wire::ticks(INTERVAL);
    // One that cannot be reached at all is told of where it stays to be read.
    let mut last = ask(&server).await?;
    let mut trouble = None;
    let mut screen = Screen::open()?;
    loop {
        screen.draw(&View { stats: &last, trouble: trouble.as_deref() })?;
        let asked = async {
            ticks.tick().await;
            ask(&server).await
        };
        tokio::select! {
            () = signals.stop() => return Ok(()),
            asked = asked => match asked {
                Ok(stats) => (last, trouble) = (stats, None),
                Err(error) => trouble = Some(trouble::chain(&error)),
            },
        }
    }
}

async fn ask(server: &Arc<Server>) -> Result<Stats> {
    let server = server.clone();
    tokio::task::spawn_blocking(move || stats(&server)).await.context("ask the server")?
}

fn stats(server: &Server) -> Result<Stats> {
    server.get("/stats")
}
