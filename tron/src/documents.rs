//! `Documents`: what bundles serve, read once for whoever asks for the same again and again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use swagger::Document;
use wire::BundleSha;

use crate::Rejection;
use crate::bundles::Bundles;

/// Documents kept in memory, some megabytes each at most: what a person looks at.
const KEPT_MAX: usize = 4;

/// The documents that were asked for last, the latest first.
#[derive(Default)]
pub(crate) struct Documents(Mutex<VecDeque<(BundleSha, Arc<Document>)>>);

impl Documents {
    /// The document of a bundle.
    pub(crate) async fn of(&self, bundles: &Bundles, sha: &BundleSha) -> Result<Arc<Document>, Rejection> {
        if let Some(document) = self.known(sha) {
            return Ok(document);
        }
        let document = Arc::new(bundles.document(sha).await?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((sha.clone(), Arc::clone(&document)));
        kept.truncate(KEPT_MAX);
        Ok(document)
    }

    fn known(&self, sha: &BundleSha) -> Option<Arc<Document>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == sha).map(|(_, document)| Arc::clone(document))
    }
}
