//! Consumes its assigned queues, runs the Func for each invoke, answers.

mod artefacts;
mod ascii;
mod config;
mod consumption;
mod deployed;
mod egress;
mod error;
mod execution;
mod inspector;
mod javascript;
mod loader;
mod member;
mod records;
mod request;
mod runner;
mod slots;
mod wasm;
mod worker;

pub mod compile;

pub use config::Config;
pub use error::Error;
pub use inspector::{InspectError, Inspector};
pub use runner::run;
