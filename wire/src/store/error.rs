//! `Error`: what goes wrong between us and the store.

use std::time::Duration;

use super::bodies::BODY_BYTES_MAX;
use crate::{BodySha, BundleSha, CaptureId};

/// What went wrong between us and the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store cannot be read or written.
    #[error("{action}")]
    Unavailable {
        /// What was being done.
        action: String,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// The store did not do it in time.
    #[error("the store took over {0:?}")]
    Slow(Duration),
    /// Somebody else wrote this deployment first.
    #[error("deployment {0} exists already")]
    Taken(u64),
    /// An entry of the deployment log cannot be read.
    #[error("deployment {number} cannot be read")]
    Corrupt {
        /// Which one.
        number: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A record of a call cannot be read.
    #[error("the {kind} record of a call cannot be read")]
    BadRecord {
        /// Which of its records.
        kind: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An object of ours cannot be read.
    #[error("object {key} cannot be read")]
    BadObject {
        /// Which one.
        key: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The bytes under a bundle's SHA-256 have another one.
    #[error("bundle {0} is damaged")]
    Damaged(BundleSha),
    /// A capture was deleted while it was read.
    #[error("capture {0} was deleted meanwhile")]
    CaptureGone(CaptureId),
    /// A body, or a part of one, is not there: it was deleted, or never kept.
    #[error("body {0} is not in the store")]
    BodyAbsent(BodySha),
    /// The bytes of a body are not those that it is named for.
    #[error("body {0} is damaged")]
    BodyDamaged(BodySha),
    /// A body is longer than a store can keep.
    #[error("body is over {BODY_BYTES_MAX} bytes")]
    BodyTooLong,
}

pub(super) fn unavailable(action: String, source: object_store::Error) -> Error {
    Error::Unavailable { action, source }
}
