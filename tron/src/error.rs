//! `Error`: why a Tron had to stop.

/// Why a Tron had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The broker refused what Tron cannot do without.
    #[error("reach the broker")]
    Broker(#[from] wire::broker::Error),
    /// The deployment log cannot be read.
    #[error("read the deployment log")]
    Store(#[from] wire::store::Error),
    /// Tron's own OpenAPI document is faulty; a mistake of ours.
    #[error("read the admin API's document")]
    Document(#[from] swagger::Invalid),
    /// The broker took away what Tron listens to.
    #[error("{0} ended")]
    Ended(&'static str),
    /// A task of Tron's broke off; a mistake of ours.
    #[error("a task of tron broke off")]
    Task(#[from] tokio::task::JoinError),
}
