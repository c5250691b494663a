//! `Cancels`: the calls that are to be cancelled, as far as this runner was told.

use std::collections::HashSet;

use tokio::sync::watch;
use wire::ActivationId;

/// Where it is told. What is told replaces what was told before.
#[derive(Debug, Default)]
pub(crate) struct Told(watch::Sender<HashSet<ActivationId>>);

/// The calls that are to be cancelled. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Cancels(watch::Receiver<HashSet<ActivationId>>);

impl Told {
    pub(crate) fn cancels(&self) -> Cancels {
        Cancels(self.0.subscribe())
    }

    pub(crate) fn replace(&self, calls: Vec<ActivationId>) {
        let calls = calls.into_iter().collect();
        // The same is told again and again; nobody is woken for that.
        self.0.send_if_modified(|known| {
            let is_new = *known != calls;
            *known = calls;
            is_new
        });
    }
}

impl Cancels {
    /// Waits until this call is to be cancelled: for ever, for most. Cancel-safe.
    pub(crate) async fn of(&self, activation: ActivationId) {
        let mut told = self.0.clone();
        if told.wait_for(|calls| calls.contains(&activation)).await.is_err() {
            // Nobody tells us any more: the runner is about to stop.
            std::future::pending::<()>().await;
        }
    }
}
