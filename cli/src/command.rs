//! `Cli`: what can be typed, and which file carries it out.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::logging::{LogFormat, Logging};

const AFTER_HELP: &str = "\
Which server a command talks to, the first that is there:
  1. --url and --token
  2. FUNCATRON_URL and FUNCATRON_TOKEN in the environment
  3. what `funcatron login` saved
  4. the .funcatron directory of a running `funcatron dev`, here or in a folder above
  5. http://127.0.0.1:3001
A saved token is sent to the server that it was saved for and to no other.

Exit codes: 0 done, 1 it went wrong, 2 it was typed wrong.";

/// Your OpenAPI document and some code become a checked, sandboxed HTTP API.
#[derive(Debug, Parser)]
#[command(name = "funcatron", version, after_help = AFTER_HELP, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands, in the order in which a newcomer meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(crate::new::New),
    Dev(crate::dev::Dev),
    Validate(crate::validate::Validate),
    Build(crate::build::Build),
    Deploy(crate::deploy::Deploy),
    Invoke(crate::invoke::Invoke),
    Replay(crate::replay::Replay),
    Logs(crate::logs::Logs),
    LogLevel(crate::log_level::LogLevel),
    Activations(crate::activations::Activations),
    Capture(crate::capture::Capture),
    Dlq(crate::dlq::Dlq),
    Routes(crate::routes::Routes),
    List(crate::list::List),
    Describe(crate::describe::Describe),
    Remove(crate::remove::Remove),
    Rollback(crate::rollback::Rollback),
    History(crate::history::History),
    Members(crate::members::Members),
    Top(crate::top::Top),
    Login(crate::login::Login),
    Frontend(crate::serve::frontend::Frontend),
    Tron(crate::serve::tron::Tron),
    Runner(crate::serve::runner::Runner),
    Health(crate::health::Health),
    Doctor(crate::doctor::Doctor),
    Completion(crate::completion::Completion),
    Version(crate::version::Version),
    /// Compiles the component on standard input; the runner starts itself with this.
    #[command(hide = true)]
    Compile,
}

impl Command {
    /// What is logged unless somebody says otherwise: a service is read about, a command is watched.
    pub(crate) fn log_level(&self) -> &'static str {
        match self {
            // The library under the broker calls it an error when we close a connection; what matters, we log.
            // Lines of Funcs are there from the level on that was set for their route.
            Self::Frontend(_) | Self::Tron(_) | Self::Runner(_) => "info,func=trace,lapin=off",
            // `dev` shows lines of Funcs in its own way, and a replay is asked for its answers.
            _ => "warn,func=off",
        }
    }

    /// Carries it out. The exit code is not 0 when the command has said itself what is wrong.
    pub(crate) fn run(self, log_format: LogFormat) -> anyhow::Result<ExitCode> {
        match self {
            Self::Invoke(command) => return command.run(),
            Self::Replay(command) => return command.run(),
            Self::Doctor(command) => return command.run(),
            Self::Frontend(command) => return command.run(),
            Self::Tron(command) => return command.run(),
            Self::Runner(command) => return command.run(),
            Self::Compile => return Ok(runner::compile::child_main()),
            Self::New(command) => command.run(),
            Self::Dev(command) => command.run(log_format),
            Self::Validate(command) => command.run(),
            Self::Build(command) => command.run(),
            Self::Deploy(command) => command.run(),
            Self::Logs(command) => command.run(),
            Self::LogLevel(command) => command.run(),
            Self::Activations(command) => command.run(),
            Self::Capture(command) => command.run(),
            Self::Dlq(command) => command.run(),
            Self::Routes(command) => command.run(),
            Self::List(command) => command.run(),
            Self::Describe(command) => command.run(),
            Self::Remove(command) => command.run(),
            Self::Rollback(command) => command.run(),
            Self::History(command) => command.run(),
            Self::Members(command) => command.run(),
            Self::Top(command) => command.run(),
            Self::Login(command) => command.run(),
            Self::Health(command) => command.run(),
            Self::Completion(command) => command.run(),
            Self::Version(command) => command.run(),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn only_services_have_lines_of_funcs_in_their_log() {
        let level = |words: &[&str]| {
            let typed = std::iter::once("funcatron").chain(words.iter().copied());
            Cli::try_parse_from(typed).unwrap().command.log_level()
        };
        assert!(level(&["runner"]).contains("func=trace"));
        for words in [&["dev"][..], &["replay", "a"], &["deploy", "a"]] {
            assert_eq!(level(words), "warn,func=off", "{words:?}");
        }
    }

    #[test]
    fn verbs_of_other_tools_work_too() {
        for words in [["init", "x"], ["rm", "x"], ["delete", "x"]] {
            let typed = std::iter::once("funcatron").chain(words);
            assert!(Cli::try_parse_from(typed).is_ok(), "{words:?}");
        }
    }
}
