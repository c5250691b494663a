//! The log of observations: what operators want to see of routes, whole, entry by entry. Only the last ones are kept.

use object_store::PutMode;
use tracing::error;

use super::json::numbered_key;
use super::{Error, Store};
use crate::{Chain, Observation};

const OBSERVATIONS: &str = "observations";

/// Entries that are kept: whoever writes has seen the last one, and so many changes do not come between that and
/// its own.
const KEPT: u64 = 32;

impl Store {
    /// Appends to the log of observations, under the version of this one; says whether nobody was faster.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn append_observation(&self, observation: &Observation) -> Result<bool, Error> {
        let number = observation.version;
        let action = || format!("append observation {number}");
        let key = numbered_key(OBSERVATIONS, number);
        let is_first = self.put_json(&key, observation, PutMode::Create, action).await?;
        if is_first && let Some(old) = number.checked_sub(KEPT) {
            let key = numbered_key(OBSERVATIONS, old);
            self.remove(&key, || format!("delete observation {old}")).await?;
        }
        Ok(is_first)
    }

    /// The number of the last entry, 0 when there is none, and the last that can be read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn last_observation(&self) -> Result<(u64, Option<Observation>), Error> {
        let numbers = self.numbers(OBSERVATIONS).await?;
        let last = numbers.last().copied().unwrap_or_default();
        for number in numbers.into_iter().rev() {
            match self.json(&numbered_key(OBSERVATIONS, number)).await {
                // It is gone when many were appended meanwhile.
                Ok(None) => {}
                Ok(observation) => return Ok((last, observation)),
                Err(bad @ Error::BadObject { .. }) => {
                    error!(error = %Chain(&bad), "observation cannot be read, the one before it holds on");
                }
                Err(error) => return Err(error),
            }
        }
        Ok((last, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::store;

    fn observation(version: u64) -> Observation {
        Observation { version, ..Observation::default() }
    }

    #[tokio::test]
    async fn of_two_who_append_the_same_number_one_succeeds() {
        let (_directory, store) = store();
        assert_eq!(store.last_observation().await.unwrap(), (0, None));
        assert!(store.append_observation(&observation(1)).await.unwrap());
        assert!(!store.append_observation(&observation(1)).await.unwrap());
        assert_eq!(store.last_observation().await.unwrap(), (1, Some(observation(1))));
    }

    #[tokio::test]
    async fn only_the_last_entries_are_kept() {
        let (_directory, store) = store();
        for version in 1..=KEPT + 5 {
            assert!(store.append_observation(&observation(version)).await.unwrap());
        }
        assert_eq!(store.numbers(OBSERVATIONS).await.unwrap(), (6..=KEPT + 5).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn an_entry_that_cannot_be_read_is_passed_over_and_not_written_again() {
        let (directory, store) = store();
        assert!(store.append_observation(&observation(1)).await.unwrap());
        std::fs::write(directory.path().join("a/store/observations/00000000000000000002.json"), b"{")
            .unwrap();
        assert_eq!(store.last_observation().await.unwrap(), (2, Some(observation(1))));
    }
}
