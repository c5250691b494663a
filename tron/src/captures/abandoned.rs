//! `Abandoned`: imports that came to nothing, whatever ended them, until what they wrote is deleted.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use wire::CaptureId;

/// Imports that wait to be deleted; what finds no room is deleted when it is old. Two can fail at a time.
const WAITING_MAX: usize = 64;

/// Imports that came to nothing.
#[derive(Default)]
pub(super) struct Abandoned {
    waiting: Mutex<Vec<CaptureId>>,
    news: Notify,
}

impl Abandoned {
    /// Takes note of one. Never waits: whoever ends may be in the middle of being dropped.
    pub(super) fn add(&self, id: CaptureId) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX {
            waiting.push(id);
        }
        drop(waiting);
        self.news.notify_one();
    }

    /// Waits until there are some. Cancel-safe.
    pub(super) async fn come(&self) {
        self.news.notified().await;
    }

    /// Those that there are.
    pub(super) fn take(&self) -> Vec<CaptureId> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
