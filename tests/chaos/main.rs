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
mod promises;
pub(crate) mod proxy;
mod run;
mod sink;
mod stage;
mod strike;
mod table;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use cluster::Cluster;
use options::Options;
use run::Run;
use table::Summary;

pub(crate) fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if options.list {
        Run::ALL.iter().for_each(|(_, name, what, _)| println!("{name:<18} {what}"));
        return Ok(ExitCode::SUCCESS);
    }
    let runs = chosen(&options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            ended = perform(&options, &runs) => ended,
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

fn chosen(options: &Options) -> Result<Vec<Run>> {
    if let Some(unknown) = options.only.iter().find(|only| Run::ALL.iter().all(|(_, name, ..)| name != only))
    {
        bail!("there is no run {unknown}; --list says which there are");
    }
    let is_chosen = |name: &str, is_short: bool| match options.only.as_slice() {
        [] => is_short || !options.short,
        only => only.iter().any(|only| only == name),
    };
    let runs = Run::ALL.iter().filter(|(_, name, _, is_short)| is_chosen(name, *is_short));
    Ok(runs.map(|(run, ..)| *run).collect())
}

/// Performs the runs one after the other on one cluster, and on a new one after a run that went wrong.
async fn perform(options: &Options, runs: &[Run]) -> Result<ExitCode> {
    let Options { rate, seed, .. } = *options;
    println!("seed {seed}, {rate} requests/s, {} runs", runs.len());
    let mut summary = Summary::new();
    let mut current = None;
    let mut are_good = true;
    for run in runs {
        let cluster = match current.take() {
            Some(cluster) => cluster,
            None => Cluster::start(seed).await?,
        };
        println!("{}", run.name());
        let is_good = match stage::perform(*run, &cluster, rate, seed).await {
            Ok(report) => {
                table::tell(&report);
                summary.add(&report);
                report.is_good()
            }
            Err(error) => {
                println!("  BROKEN {error:#}");
                summary.add_broken(*run);
                false
            }
        };
        are_good &= is_good;
        current = is_good.then_some(cluster);
    }
    drop(current);
    summary.print();
    println!("seed {seed}: {}", if are_good { "everything held" } else { "NOT everything held" });
    Ok(if are_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
