//! Tron's own heartbeats: it is a member like the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{Broker, Heartbeat, MemberId, PoolReport, Role};

use crate::status::Status;

/// How long the last heartbeat may take. One that is lost costs those who listen a few seconds.
const LEAVE_TIMEOUT: Duration = Duration::from_millis(500);

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
    let mut pools_said = Vec::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = ticks.tick() => {}
            // At once: whoever deploys waits until everybody dispatches by it.
            changed = status.wait_for(|status| status.deployment != said) => if changed.is_err() { return },
        }
        said = status.borrow().deployment;
        pools_said.clone_from(&pools.borrow());
        let pools = pools_said.clone();
        Heartbeat { pools, ..Heartbeat::now(member.clone(), Role::Tron, said) }.send(&*broker).await;
    }
    // At once, unless the broker takes too long to hear it. Another Tron takes over the pools: nobody is to think
    // meanwhile that there are none.
    let last = Heartbeat { leaving: true, pools: pools_said, ..Heartbeat::now(member, Role::Tron, said) };
    let _in_time = timeout(LEAVE_TIMEOUT, last.send(&*broker)).await;
}
