//! Turns an HTTP request into an invoke and the matching answer into a response.
//!
//! It knows nothing of documents or Funcs: whatever passes the gate becomes a message. In the store it looks
//! for nothing but large bodies and the calls whose callers do not wait.

mod access_log;
mod answer;
mod bodies;
mod call;
mod config;
mod forwarded;
mod gate;
mod health;
mod hop_by_hop;
mod host;
mod metrics;
mod promises;
mod root;
mod routes;
mod server;
mod target;

pub use config::{BadDispatch, Config, Dispatch};
pub use metrics::Metrics;
pub use server::{Error, run};
