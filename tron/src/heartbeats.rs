//! Tron's own heartbeats: it is a member like the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::{Broker, Heartbeat, MemberId, PoolReport, Role};

use crate::status::Status;

/// Says that this Tron is alive, until shutdown.
pub(crate) async fn send(
    broker: Arc<dyn Broker>,
    member: MemberId,
    interval: Duration,
    mut status: watch::Receiver<Status>,
    pools: watch::Receiver<Vec<PoolReport>>,
    shutdown: CancellationToken,
) {
    let mut ticks = tokio::time::interval(interval);
    let mut said = 0;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
            // At once: whoever deploys waits until everybody dispatches by it.
            changed = status.wait_for(|status| status.deployment != said) => if changed.is_err() { return },
        }
        said = status.borrow().deployment;
        let pools = pools.borrow().clone();
        Heartbeat { pools, ..Heartbeat::now(member.clone(), Role::Tron, said) }.send(&*broker).await;
    }
}
