//! `Documents`: what bundles serve, read once for whoever asks for the same again and again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use swagger::Document;
use wire::BundleSha;

use crate::Rejection;
use crate::bundles::Bundles;

/// Documents kept in memory, some megabytes each at most: what a person looks at.
const KEPT_MAX: usize = 4;

/// The documents that were asked for last.
#[derive(Default)]
pub(crate) struct Documents(Mutex<Latest<Document>>);

/// What bundles have, that was asked for last before the others, each once.
struct Latest<T>(VecDeque<(BundleSha, Arc<T>)>);

impl Documents {
    /// The document of a bundle.
    pub(crate) async fn of(&self, bundles: &Bundles, sha: &BundleSha) -> Result<Arc<Document>, Rejection> {
        if let Some(document) = self.latest(|latest| latest.get(sha)) {
            return Ok(document);
        }
        let document = Arc::new(bundles.document(sha).await?);
        self.latest(|latest| latest.put(sha, Arc::clone(&document)));
        Ok(document)
    }

    fn latest<R>(&self, use_it: impl FnOnce(&mut Latest<Document>) -> R) -> R {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Latest<T> {
    fn get(&mut self, sha: &BundleSha) -> Option<Arc<T>> {
        let at = self.0.iter().position(|(known, _)| known == sha)?;
        let found = self.0.remove(at)?;
        let value = Arc::clone(&found.1);
        self.0.push_front(found);
        Some(value)
    }

    fn put(&mut self, sha: &BundleSha, value: Arc<T>) {
        // Two may have read it at a time.
        self.0.retain(|(known, _)| known != sha);
        self.0.push_front((sha.clone(), value));
        self.0.truncate(KEPT_MAX);
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_asked_for_last_are_kept_each_once() {
        let mut latest = Latest::default();
        let shas: Vec<BundleSha> = (0..=KEPT_MAX).map(|n| BundleSha::of(&[n as u8])).collect();
        for (n, sha) in shas.iter().enumerate().take(KEPT_MAX) {
            latest.put(sha, Arc::new(n));
            latest.put(sha, Arc::new(n));
        }
        assert_eq!(latest.get(&shas[0]).as_deref(), Some(&0));
        latest.put(&shas[KEPT_MAX], Arc::new(KEPT_MAX));
        let known: Vec<_> = shas.iter().filter(|sha| latest.get(sha).is_some()).collect();
        assert_eq!(known, [&shas[0], &shas[2], &shas[3], &shas[4]], "the second was asked for first");
    }
}
