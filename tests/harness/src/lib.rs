//! Starts the platform as its users do, and asks it as its clients do. For tests alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and tells what it saw"
)]

mod client;
mod cluster;
mod collector;
mod process;
mod reply;
mod samples;
mod vhost;

pub use client::{Client, PATIENCE};
pub use cluster::{Cluster, Size};
pub use collector::Collector;
pub use process::Process;
pub use reply::Reply;
pub use samples::{copy_func, sample, test_func};
pub use vhost::Vhost;
