//! `Deployed`: a bundle on a route, loaded and ready to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use swagger::{BasePath, Document};
use wire::{BundleSha, RouteId, Store};

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
}

impl Deployed {
    /// Whether no route names it any more, so that its queue is not to be declared.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
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
        }
    }
}
