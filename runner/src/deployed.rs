//! `Deployed`: a bundle on a route, loaded and ready to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use swagger::{BasePath, Document};
use wire::{BundleSha, RouteId};

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
    pub(crate) document: Document,
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
}
