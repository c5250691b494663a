//! Tron as an operator and the members see it: real sockets, the embedded broker, a stand-in runner.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken stage is a failed test")]

mod admin;
mod calls;
mod captures;
mod console;
mod dead_letters;
mod deploying;
mod harness;
mod objects;
mod observing;
mod own_calls;
mod placement;
mod scaling;
mod stats;
mod uploading;
