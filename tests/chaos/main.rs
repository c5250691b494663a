//! Faults under load, against real processes over a real RabbitMQ: `make chaos`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and this one talks to people"
)]

mod broker;
pub(crate) mod checker;
mod client;
mod clock;
mod cluster;
mod connections;
mod dead;
mod expectation;
mod goodput;
pub(crate) mod ledger;
mod load;
mod members;
mod options;
pub(crate) mod peer;
mod program;
mod promises;
pub(crate) mod proxy;
mod run;
pub(crate) mod scaling;
mod sink;
mod stage;
mod strike;
mod table;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use options::Options;
use program::Program;
use run::Run;
use scaling::Scene;

pub(crate) fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if options.list {
        Run::ALL.iter().for_each(|(_, name, what, _)| println!("{name:<18} {what}"));
        let scenes = options.fleet.iter().flat_map(|kind| Scene::of(*kind).map(|scene| (*kind, scene)));
        scenes.for_each(|(kind, scene)| println!("{:<18} {}", scene.name(kind), scene.what()));
        return Ok(ExitCode::SUCCESS);
    }
    let program = Program::chosen(&options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            ended = program.perform(&options) => ended,
            // What is dropped then ends its processes.
            interrupted = interruption() => bail!("interrupted by {}", interrupted?),
        }
    })
}

async fn interruption() -> Result<&'static str> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminated.recv() => Ok("SIGTERM"),
        _ = interrupted.recv() => Ok("SIGINT"),
    }
}
