//! `Loading`: Funcs that are being loaded, beside everything else that a runner does.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};
use wire::broker::func_queue;
use wire::{Broker, Chain, FuncAssignment};

use crate::deployed::Deployed;
use crate::loader::Loader;

/// Funcs that are loaded and not yet looked at; the next are loaded once there is room.
const LOADED_MAX: usize = 64;

/// Funcs that are being loaded, one after the other. Dropping it ends that.
pub(crate) struct Loading {
    loaded: mpsc::Receiver<Loaded>,
    _task: AbortOnDropHandle<()>,
}

/// What became of a Func.
pub(crate) struct Loaded {
    pub(crate) func: FuncAssignment,
    /// The Func, or why there is none.
    pub(crate) result: Result<Arc<Deployed>, String>,
}

impl Loading {
    /// Begins to load these.
    pub(crate) fn start(loader: Arc<Loader>, broker: Arc<dyn Broker>, wanted: Vec<FuncAssignment>) -> Self {
        let (sender, loaded) = mpsc::channel(LOADED_MAX);
        let task = tokio::spawn(async move {
            for func in wanted {
                let result = load(&loader, &*broker, &func).await;
                if sender.send(Loaded { func, result }).await.is_err() {
                    return;
                }
            }
        });
        Self { loaded, _task: AbortOnDropHandle::new(task) }
    }

    /// The Funcs that were loaded meanwhile; none when that was all. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Vec<Loaded> {
        let mut loaded = Vec::new();
        self.loaded.recv_many(&mut loaded, LOADED_MAX).await;
        loaded
    }
}

async fn load(loader: &Loader, broker: &dyn Broker, func: &FuncAssignment) -> Result<Arc<Deployed>, String> {
    let FuncAssignment { queue, route, sha, .. } = func;
    // Whoever sees in our heartbeat that a Func is held may send to its queue at once.
    if !func.draining
        && let Err(error) = broker.declare(&func_queue(queue, route)).await
    {
        warn!(%queue, %error, "queue not declared");
    }
    match loader.load(func).await {
        Ok(deployed) => {
            info!(%queue, bundle = %sha.short(), "func loaded");
            Ok(Arc::new(deployed))
        }
        Err(error) => {
            let reason = Chain(&error).to_string();
            warn!(%queue, bundle = %sha.short(), error = %reason, "func not loaded");
            Err(reason)
        }
    }
}
