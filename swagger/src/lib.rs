//! Turns an OpenAPI document (Swagger 2.0, OpenAPI 3.0 and 3.1) into routes, operations and validators.
//!
//! The crate is pure: bytes in, decisions out. It does no I/O, spawns nothing and knows nothing about
//! brokers, bundles or HTTP servers.

mod base_path;
mod bodies;
mod body;
mod document;
mod fault;
mod form;
mod host;
mod media;
mod multipart;
mod node;
mod operation;
mod operations;
mod parameter;
mod parameters;
mod part;
mod paths;
mod percent;
mod placement;
mod reader;
mod redacted;
mod refusal;
mod request;
mod response;
mod retries;
mod routes;
mod schema;
mod secrets;
mod security;
mod server;
mod source;
mod style;
mod template;

pub use base_path::{BadBasePath, BasePath};
pub use document::Document;
pub use fault::{Fault, Invalid, Location};
pub use host::{BadHost, HostPattern};
pub use operation::Operation;
pub use part::Part;
pub use refusal::Refusal;
pub use request::{Checked, Payload, Request};
pub use retries::Retries;
pub use routes::{Conflict, RouteTable};
pub use secrets::{SecretPlace, Secrets};
