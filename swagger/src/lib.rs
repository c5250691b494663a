//! Turns an OpenAPI document (Swagger 2.0, OpenAPI 3.0 and 3.1) into routes, operations and validators.
//!
//! The crate is pure: bytes in, decisions out. It does no I/O, spawns nothing and knows nothing about
//! brokers, bundles or HTTP servers.

mod base_path;
mod document;
mod fault;
mod host;
mod operation;
mod percent;
mod refusal;
mod request;
mod routes;

pub use base_path::{BadBasePath, BasePath};
pub use document::Document;
pub use fault::{Fault, Invalid, Location};
pub use host::{BadHost, HostPattern};
pub use operation::Operation;
pub use refusal::Refusal;
pub use request::{Checked, Request};
pub use routes::{Conflict, RouteTable};
