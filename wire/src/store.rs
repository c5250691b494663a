//! `Store`: bundles, the deployment log and large bodies, in a directory or an object store.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use object_store::ObjectStore;

use crate::BundleSha;
use crate::admin::Deployment;

/// Where the desired state lives. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
}

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
    /// The bytes under a bundle's SHA-256 have another one.
    #[error("bundle {0} is damaged")]
    Damaged(BundleSha),
}

impl Store {
    /// A store in a directory, made if need be. Every write is on the disk before it is acknowledged.
    ///
    /// # Errors
    /// When the directory cannot be made or opened.
    pub fn directory(_path: &Path) -> Result<Self, Error> {
        unimplemented!()
    }

    /// Keeps a bundle under its SHA-256. Keeping it again changes nothing.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn put_bundle(&self, _zip: Bytes) -> Result<BundleSha, Error> {
        unimplemented!()
    }

    /// The bytes of a bundle, checked against its SHA-256; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be read or the bytes are damaged.
    pub async fn bundle(&self, _sha: &BundleSha) -> Result<Option<Bytes>, Error> {
        unimplemented!()
    }

    /// Every bundle, with its size in bytes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn bundles(&self) -> Result<Vec<(BundleSha, u64)>, Error> {
        unimplemented!()
    }

    /// Removes a bundle.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn delete_bundle(&self, _sha: &BundleSha) -> Result<(), Error> {
        unimplemented!()
    }

    /// Appends to the deployment log: the compare-and-swap that every change is.
    ///
    /// # Errors
    /// [`Error::Taken`] when that number exists.
    pub async fn append_deployment(&self, _deployment: &Deployment) -> Result<(), Error> {
        unimplemented!()
    }

    /// One entry of the deployment log.
    ///
    /// # Errors
    /// When the store cannot be read or the entry is corrupt.
    pub async fn deployment(&self, _number: u64) -> Result<Option<Deployment>, Error> {
        unimplemented!()
    }

    /// The numbers of the deployment log, ascending.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn deployment_numbers(&self) -> Result<Vec<u64>, Error> {
        unimplemented!()
    }
}
