//! Dispatches invokes; owns the desired state and keeps frontends, runners and the substrate in line with it.
//!
//! It knows nothing about how code runs: the check of a bundle's code is handed in as an [`Inspect`].

mod activations;
mod admin;
mod balance;
mod bundles;
mod calls;
mod captures;
mod config;
mod dead_letters;
mod desired;
mod dispatcher;
mod documents;
mod error;
mod fleet;
mod handle;
mod heartbeats;
mod log;
mod members;
mod metrics;
mod observations;
mod own_calls;
mod placement;
mod plan;
mod query;
mod queues;
mod reconciler;
mod rejection;
mod round;
mod scaler;
mod stage;
mod stats;
mod status;
mod sweeper;
mod token;
mod trials;
mod tron;

pub use activations::{Follow, Recorded};
pub use bundles::{Inspect, Opened, Uploaded, placement};
pub use config::Config;
pub use error::Error;
pub use handle::{Compared, Handle};
pub use own_calls::Place;
pub use query::Query;
pub use rejection::Rejection;
pub use scaler::{ScaledPool, Scaling};
pub use token::Token;
pub use tron::Tron;
