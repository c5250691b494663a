//! `Deployed`: a bundle on a route, loaded and ready to answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use swagger::{BasePath, Document};
use wire::{ActivationId, BundleSha, Mirror, RouteId, Store};

use crate::bodies::Bodies;
use crate::tally::Tally;
use crate::wasm::Func;

/// A bundle on a route, loaded and ready to answer.
pub(crate) struct Deployed {
    /// The queue that its invokes come from.
    pub(crate) queue: String,
    pub(crate) route: RouteId,
    pub(crate) sha: BundleSha,
    /// The route's, which need not be the document's.
    pub(crate) base_path: BasePath,
    pub(crate) document: Arc<Document>,
    pub(crate) func: Func,
    pub(crate) bodies: Bodies,
    /// What comes from the queue, and what becomes of it: the same one when the Func is loaded anew.
    pub(crate) tally: Arc<Tally>,
    pub(crate) draining: AtomicBool,
    /// The bundles on trial that get copies of its calls.
    pub(crate) mirrors: RwLock<Vec<Mirror>>,
}

impl Deployed {
    /// Whether no route names it any more, so that its queue is not to be declared.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Who gets a copy of this call.
    pub(crate) fn mirrors_of(&self, activation: ActivationId) -> Vec<Mirror> {
        let mirrors = self.mirrors.read().unwrap_or_else(PoisonError::into_inner);
        mirrors.iter().filter(|mirror| mirror.share.takes(activation)).cloned().collect()
    }

    /// Sets who gets copies from now on.
    pub(crate) fn mirror_to(&self, mirrors: &[Mirror]) {
        *self.mirrors.write().unwrap_or_else(PoisonError::into_inner) = mirrors.to_vec();
    }

    /// The same with another store for large bodies.
    pub(crate) fn over(&self, store: Store) -> Self {
        Self {
            queue: self.queue.clone(),
            route: self.route.clone(),
            sha: self.sha.clone(),
            base_path: self.base_path.clone(),
            document: self.document.clone(),
            func: self.func.clone(),
            bodies: self.bodies.over(store),
            tally: self.tally.clone(),
            draining: AtomicBool::new(self.is_draining()),
            mirrors: RwLock::default(),
        }
    }
}
