//! `Options`: what is said on the command line.

use clap::Parser;

use super::scaling::Kind;

/// Faults under load: every run breaks something in a cluster of processes over RabbitMQ while an open loop
/// of requests goes on, and then compares what was asked, what was answered and what was executed.
///
/// lost: promised with a 202, neither executed nor given up. unexpected: executed without having been asked
/// for. duplicated: executed more than once. recovered: executed again and answered well. late: answered
/// after the deadline and a second. The exit code is 0 if every invariant held in every run.
#[derive(Parser)]
pub(crate) struct Options {
    /// What draws the requests and the moments of faults; a run with the same seed asks for the same
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only this run; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Only the runs of the short selection
    #[arg(long)]
    pub(crate) short: bool,
    /// Say which runs there are
    #[arg(long)]
    pub(crate) list: bool,
    /// Scale a cluster instead whose runners Tron makes of this; may be given several times
    #[arg(long, value_name = "KIND")]
    pub(crate) fleet: Vec<Kind>,
    /// Requests per second; with a fleet, in a burst, which is ten times the normal rate
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rate: u32,
}
