//! Consumes its assigned queues, runs the Func for each invoke, answers.

mod artefacts;
mod ascii;
mod bodies;
mod cancels;
mod capture;
mod config;
mod consumption;
mod deployed;
mod egress;
mod error;
mod execution;
mod handling;
mod inspector;
mod javascript;
mod loader;
mod loading;
mod member;
mod metrics;
mod mirroring;
mod notes;
mod observations;
mod operations;
mod outbox;
mod outside;
mod records;
mod redelivery;
mod request;
mod retries;
mod runner;
mod serving;
mod slots;
mod stage;
mod tallies;
mod tally;
mod trace;
mod verdict;
mod wasm;
mod worker;

pub mod compile;

pub use config::Config;
pub use error::Error;
pub use inspector::{InspectError, Inspector};
pub use metrics::Metrics;
pub use runner::run;
pub use stage::{NotStaged, Settings, Stage, Staged};
