//! The runner as the rest of the platform sees it: assignments and invokes in, answers and records out.
#![cfg(test)]

mod abyss;
mod bodies;
mod calls;
mod captured;
mod control;
#[cfg(test)]
mod harness;
mod hermetic;
mod hostile;
mod inspection;
mod mirrors;
mod observed;
mod outbound;
mod promised;
mod redelivery;
mod statistics;
mod tokens;
mod trouble;
