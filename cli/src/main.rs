//! The one binary: `funcatron dev` runs the platform on this machine, the other commands talk to one.

mod activations;
mod build;
mod capture;
mod cargo;
mod check;
mod clock;
mod command;
mod completion;
mod connection;
mod deploy;
mod describe;
mod dev;
mod dlq;
mod doctor;
mod draft;
mod folder;
mod health;
mod history;
mod invoke;
mod list;
mod listener;
mod log_level;
mod logging;
mod login;
mod logs;
mod members;
mod new;
mod output;
mod remove;
mod replay;
mod rollback;
mod routes;
mod schema;
mod selection;
mod serve;
mod server;
mod settings;
mod signals;
mod telling;
mod top;
mod trials;
mod trouble;
mod validate;
mod version;

use std::process::ExitCode;

use clap::Parser;

use command::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start(&cli.logging, cli.command.log_level());
    cli.command.run(cli.logging.log_format).unwrap_or_else(|error| trouble::report(&error))
}
