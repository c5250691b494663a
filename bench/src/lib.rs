//! What Funcatron is measured against, and a Func of no cost to measure the path with. Nothing here is shipped.

mod http;
mod native;

pub use http::{hello, serve};
pub use native::NativeRunner;

/// Runs one role on an event loop of one thread, the cheapest in processor time per request.
///
/// # Errors
/// Those of the role.
pub fn block_on<T>(role: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(role)
}
