//! Where the log goes: standard error, for people or for programs.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How the platform's own log is written. Last in every help: few ever need it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Log", next_display_order = 900)]
pub(crate) struct Logging {
    /// What to log: error, warn, info, debug, trace, or directives such as runner=debug
    /// [default: info for the services of a cluster, else warn]
    #[arg(long, env = "RUST_LOG", global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t, global = true, value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Whether a person looks, who has not asked for plain text (<https://no-color.org>).
fn is_colourful() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Starts logging for this process.
pub(crate) fn start(logging: &Logging, default: &str) {
    let level = logging.log_level.as_deref().filter(|level| !level.is_empty()).unwrap_or(default);
    let log = tracing_subscriber::fmt().with_env_filter(filter(level)).with_writer(std::io::stderr);
    match logging.log_format {
        // No colours in a file.
        LogFormat::Text => log.with_target(false).with_ansi(is_colourful()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    log::set_max_level(level_of_libraries(level));
}

/// The level up to which those log that know nothing of `tracing`. That lines of Funcs are logged at every level is no
/// reason to ask the filter for each of what such libraries say: wasmtime says a lot about each call.
fn level_of_libraries(level: &str) -> log::LevelFilter {
    let others: Vec<&str> = level.split(',').filter(|directive| !directive.starts_with("func=")).collect();
    // Both have the same names. A filter that does not know lets everything through.
    let hint = filter(&others.join(",")).max_level_hint().map(|hint| hint.to_string().parse());
    hint.and_then(Result::ok).unwrap_or(log::LevelFilter::Trace)
}

/// What is logged. The client of Docker Engines writes down, for whoever debugs it, all that it sends: with it the
/// secrets of runners.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::builder().parse_lossy(format!("{level},bollard=info"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_funcs_do_not_make_libraries_talk() {
        let of = |level| level_of_libraries(level).as_str();
        assert_eq!((of("info,func=trace,lapin=off"), of("warn,func=off")), ("INFO", "INFO"));
        assert_eq!((of("trace"), of("info,wasmtime=debug")), ("TRACE", "DEBUG"));
    }

    #[test]
    fn nobody_has_secrets_logged() {
        for level in ["trace", "bollard=trace", "info,bollard=debug"] {
            let filter = filter(level).to_string();
            assert!(filter.contains("bollard=info") && !filter.contains("bollard=trace"), "{filter}");
        }
    }
}
