//! `funcatron capture`: calls of a route, kept whole.

mod export;
pub(crate) mod har;
mod import;
mod start;

use anyhow::bail;
use clap::Subcommand;
use wire::admin::{CaptureInfo, CaptureState};
use wire::{CaptureId, Timestamp};

use crate::clock;
use crate::connection::Given;
use crate::output::{self, Output};
use crate::selection::{self, place};
use crate::server::Server;
use export::Export;
use import::Import;
use start::Start;

const AFTER_HELP: &str = "\
ID is the id of a capture, or its beginning or end. What is secret (authorization, cookies, API keys, fields that the
document marks) is left out unless somebody asks for it.

Example: keep what fails for the next ten minutes, and look at it
  funcatron capture start /pets --filter 'status>=500' --for 10m
  funcatron capture export ID | jq -c 'select(.invoke) | [.invoke.method, .invoke.path, .answer.status]'";

/// Keep calls of a route, whole, to look at them or to run them again
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Capture {
    #[command(subcommand)]
    action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Action {
    /// Begin to keep calls of a route
    Start(Start),
    /// End a capture; what it has kept stays
    Stop(One),
    /// List the captures, the newest first
    List {
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        given: Given,
    },
    /// Show a capture
    Show(One),
    /// Write what a capture has kept into one file
    Export(Export),
    /// Bring a file of captured calls to a server
    Import(Import),
    /// Delete a capture and what it has kept
    Remove {
        /// The id of a capture, or its beginning or end
        id: String,
        #[command(flatten)]
        given: Given,
    },
}

/// One capture, and how to show it.
#[derive(Debug, clap::Args)]
struct One {
    /// The id of a capture, or its beginning or end
    id: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl Capture {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Start(start) => start.run(),
            Action::Stop(One { id, output, given }) => {
                let server = Server::choose(&given)?;
                let info = find(&server, &id)?;
                if let Some(over) = over(&info) {
                    bail!("capture {} {over}", info.capture.id);
                }
                let path = format!("/captures/{}/stop", info.capture.id);
                show(output, &[server.post(&path, &serde_json::Value::Null)?])
            }
            Action::List { output, given } => {
                let captures: Vec<CaptureInfo> = Server::choose(&given)?.get("/captures")?;
                output.show(&captures, &HEADER, || captures.iter().map(row).collect())
            }
            Action::Show(One { id, output, given }) => {
                let server = Server::choose(&given)?;
                show(output, &[server.get(&path(&server, &id)?)?])
            }
            Action::Export(export) => export.run(),
            Action::Import(import) => import.run(),
            Action::Remove { id, given } => {
                let server = Server::choose(&given)?;
                let path = path(&server, &id)?;
                server.delete(&path)?;
                Ok(output::line(format!("removed {}", path.trim_start_matches("/captures/")))?)
            }
        }
    }
}

const HEADER: [&str; 9] =
    ["ID", "ROUTE", "STATE", "CALLS", "BYTES", "MISSED", "SAMPLE", "STARTED", "KEPT UNTIL"];

/// Shows one capture.
fn show(output: Output, [info]: &[CaptureInfo; 1]) -> anyhow::Result<()> {
    output.show(info, &HEADER, || vec![row(info)])
}

fn row(info: &CaptureInfo) -> Vec<String> {
    let capture = &info.capture;
    let state = match info.state {
        CaptureState::Running => "running",
        CaptureState::Stopped => "stopped",
        CaptureState::Full => "full",
        CaptureState::Expired => "over",
        CaptureState::Imported => "imported",
    };
    let filters: String = capture.filters.iter().map(|filter| format!(" {filter}")).collect();
    vec![
        capture.id.to_string(),
        place(&info.host, &info.base_path),
        state.to_owned(),
        info.entries.to_string(),
        info.bytes.to_string(),
        info.missed.to_string(),
        format!("{}{filters}", capture.sample),
        clock::ago(capture.from, Timestamp::now()),
        clock::utc(capture.delete_at),
    ]
}

/// Where the admin API has the capture that is meant. One that cannot be read is in no list, and has its whole id alone.
fn path(server: &Server, text: &str) -> anyhow::Result<String> {
    if let Ok(id) = CaptureId::parse(text) {
        return Ok(format!("/captures/{id}"));
    }
    Ok(format!("/captures/{}", find(server, text)?.capture.id))
}

/// The capture that is meant.
fn find(server: &Server, text: &str) -> anyhow::Result<CaptureInfo> {
    let captures: Vec<CaptureInfo> = server.get("/captures")?;
    selection::capture(&captures, text).cloned()
}

/// Why there is nothing to stop.
fn over(info: &CaptureInfo) -> Option<String> {
    Some(match info.state {
        CaptureState::Running => return None,
        CaptureState::Stopped => "is stopped already".to_owned(),
        CaptureState::Full => "is over: it has as many bytes as it may have".to_owned(),
        CaptureState::Expired => format!("is over since {}", clock::utc(info.capture.until)),
        CaptureState::Imported => "was imported: it never ran here".to_owned(),
    })
}
