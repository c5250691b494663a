//! `RecordKind`: what is kept of a call, each kind in a folder of its own.

use bytes::Bytes;
use object_store::PutMode;
use object_store::path::Path as Key;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Error, Store};
use crate::calls::Accepted;
use crate::{ActivationId, Invoke};

/// What holds every kind.
pub(super) const FOLDER: &str = "calls";

/// Which record of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// That it was accepted.
    Accepted,
    /// The call itself, until it has ended.
    Pending,
    /// What it came to.
    Results,
    /// That it is to be cancelled.
    Cancels,
    /// How posting its result ended.
    Callbacks,
}

impl RecordKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Pending => "pending",
            Self::Results => "results",
            Self::Cancels => "cancels",
            Self::Callbacks => "callbacks",
        }
    }

    pub(super) fn folder(self) -> Key {
        Key::from_iter([FOLDER, self.as_str()])
    }

    fn key(self, activation: ActivationId) -> Key {
        self.folder().join(format!("{activation}.json"))
    }

    /// Whether frontends write it. The others are for Trons, which have the store itself.
    pub fn is_of_frontends(self) -> bool {
        matches!(self, Self::Accepted | Self::Pending | Self::Cancels)
    }
}

/// The call that a record of this file name is about.
pub(super) fn activation(name: &str) -> Option<ActivationId> {
    name.strip_suffix(".json")?.parse().ok()
}

impl Store {
    /// A record of a call as it lies there, for somebody who has no store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn call_record(
        &self,
        kind: RecordKind,
        activation: ActivationId,
    ) -> Result<Option<Bytes>, Error> {
        self.get(&kind.key(activation), || format!("fetch the {} record of a call", kind.as_str())).await
    }

    /// Keeps a record of a call for a frontend that has no store.
    ///
    /// # Errors
    /// When it is none that can be read, or the store cannot be written.
    pub async fn put_call_record(
        &self,
        kind: RecordKind,
        activation: ActivationId,
        json: &[u8],
    ) -> Result<(), Error> {
        match kind {
            RecordKind::Cancels => self.cancel_call(activation).await,
            RecordKind::Pending => self.keep_pending(&Invoke { activation, ..parse(kind, json)? }).await,
            _ => self.accept_call(&Accepted { activation, ..parse(kind, json)? }).await,
        }
    }

    /// Deletes a record of a call. Deleting what is not there is no error.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn delete_call_record(&self, kind: RecordKind, activation: ActivationId) -> Result<(), Error> {
        let action = || format!("delete the {} record of a call", kind.as_str());
        self.remove(&kind.key(activation), action).await.map(drop)
    }

    /// Writes a record; says whether it did.
    pub(super) async fn put_record<T: Serialize>(
        &self,
        kind: RecordKind,
        activation: ActivationId,
        record: &T,
        mode: PutMode,
    ) -> Result<bool, Error> {
        let action = || format!("keep the {} record of a call", kind.as_str());
        self.put_json(&kind.key(activation), record, mode, action).await
    }

    pub(super) async fn record<T: DeserializeOwned>(
        &self,
        kind: RecordKind,
        activation: ActivationId,
    ) -> Result<Option<T>, Error> {
        let json = self.call_record(kind, activation).await?;
        json.map(|json| parse(kind, &json)).transpose()
    }
}

fn parse<T: DeserializeOwned>(kind: RecordKind, json: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|source| Error::BadRecord { kind: kind.as_str(), source })
}
