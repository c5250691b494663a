//! A frontend over real sockets, with an embedded broker and a stand-in for everything behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken stage is a failed test")]

mod bodies;
mod calls;
mod direct;
mod harness;
mod hostile;
mod promises;
mod slow;
mod traces;
