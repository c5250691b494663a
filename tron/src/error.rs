//! `Error`: why a Tron had to stop.

/// Why a Tron had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Tron's own OpenAPI document is faulty; a mistake of ours.
    #[error("read the admin API's document")]
    Document(#[from] swagger::Invalid),
    /// The encryption of callbacks cannot be set up.
    #[error(transparent)]
    Tls(#[from] wire::egress::TlsError),
    /// A task of Tron's broke off; a mistake of ours.
    #[error("a task of tron broke off")]
    Task(#[from] tokio::task::JoinError),
}
