//! `Error`: why a runner cannot run.

use std::io;
use std::path::PathBuf;

/// Why a runner cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sandbox cannot be set up: mostly for want of address space.
    #[error("set up the sandbox")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is nowhere to keep compiled code.
    #[error("open the cache directory {0}")]
    CacheDir(PathBuf, #[source] io::Error),
    /// The encryption of outgoing requests cannot be set up.
    #[error(transparent)]
    Tls(#[from] wire::egress::TlsError),
    /// A thread cannot be started, or ended before its time.
    #[error("run a worker's thread")]
    Thread(#[source] io::Error),
}

impl Error {
    pub(crate) fn engine(error: wasmtime::Error) -> Self {
        Self::Engine(error.into())
    }
}
