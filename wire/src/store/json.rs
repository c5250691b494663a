//! Objects of JSON, and logs of them: entries with a number each.

use object_store::path::Path as Key;
use object_store::{ObjectMeta, PutMode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, Store, unavailable};

/// The entry of this number of a log: sorted as text, entries are in the order of their numbers.
pub(super) fn numbered_key(log: &str, number: u64) -> Key {
    Key::from(format!("{log}/{number:020}.json"))
}

impl Store {
    /// The numbers of a log, ascending; files that are none of ours are passed over.
    pub(super) async fn numbers(&self, log: &str) -> Result<Vec<u64>, Error> {
        let number_of = |object: &ObjectMeta| {
            let number = object.location.filename()?.strip_suffix(".json")?.parse().ok()?;
            (numbered_key(log, number) == object.location).then_some(number)
        };
        let mut numbers: Vec<_> = self.list(log).await?.iter().filter_map(number_of).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Writes an object; says whether it did.
    pub(super) async fn put_json<T: Serialize>(
        &self,
        key: &Key,
        value: &T,
        mode: PutMode,
        action: impl Fn() -> String,
    ) -> Result<bool, Error> {
        // What is kept are texts and numbers: they can always be written.
        let json = serde_json::to_vec(value).unwrap_or_default();
        match self.objects.put_opts(key, json.into(), mode.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(source) => Err(unavailable(action(), source)),
        }
    }

    /// Reads an object; `None` when there is none.
    pub(super) async fn json<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Error> {
        let json = self.get(key, || format!("fetch {key}")).await?;
        let bad = |source| Error::BadObject { key: key.to_string(), source };
        json.map(|json| serde_json::from_slice(&json)).transpose().map_err(bad)
    }
}
