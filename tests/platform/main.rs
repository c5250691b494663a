//! The whole system through the door that a user has: the binary, HTTP and files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod bad_input;
mod bodies;
mod captures;
mod harness;
mod hostile_funcs;
mod live;
mod operator;
mod process;
mod promises;
mod quotes;
mod replay;
mod samples;
mod statistics;
mod telemetry;
mod traces;
mod trials;
mod updates;
