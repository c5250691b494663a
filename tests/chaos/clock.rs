//! `Clock`: the time of a run, counted from its beginning, and waiting by it.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// How often a condition is looked at that cannot announce itself.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Duration {
        self.0.elapsed()
    }

    /// Waits for a moment of the run: the phases of an open loop have lengths that nothing else decides.
    pub(crate) async fn reach(self, at: Duration) {
        sleep_until(self.0 + at).await;
    }
}

/// Waits until `is_so`, and says `what` did not come about when it takes too long.
pub(crate) async fn until(what: &str, within: Duration, mut is_so: impl AsyncFnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + within;
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !is_so().await {
        if Instant::now() > deadline {
            bail!("not within {within:?}: {what}");
        }
        looks.tick().await;
    }
    Ok(())
}
