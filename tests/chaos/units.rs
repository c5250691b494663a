//! The tests of the parts of `chaos`, for the usual harness: `chaos` itself has a `main` of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "main.rs"]
mod chaos;

#[path = "units/checker.rs"]
mod checker;
#[path = "units/curve.rs"]
mod curve;
#[path = "units/peer.rs"]
mod peer;
#[path = "units/proxy.rs"]
mod proxy;

fn main() -> anyhow::Result<std::process::ExitCode> {
    chaos::main()
}
