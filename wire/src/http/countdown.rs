//! `Countdown`: a time limit that costs nothing while it does not run.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

pub(super) struct Countdown {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Countdown {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, sleep: None }
    }

    /// Begins to count, unless it does already.
    pub(super) fn start(&mut self) {
        let limit = self.limit;
        self.sleep.get_or_insert_with(|| Box::pin(sleep(limit)));
    }

    pub(super) fn stop(&mut self) {
        self.sleep = None;
    }

    /// Whether the time is up; wakes the task when it will be.
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.sleep.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready())
    }
}
