//! Tron's own heartbeats: it is a member like the others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::broker::Topic;
use wire::{Broker, Heartbeat, MemberId, Role, Timestamp, Version};

use crate::status::Status;

/// Says that this Tron is alive, until shutdown.
pub(crate) async fn send(
    broker: Arc<dyn Broker>,
    member: MemberId,
    interval: Duration,
    mut status: watch::Receiver<Status>,
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
        let heartbeat = Heartbeat {
            v: Version,
            member: member.clone(),
            role: Role::Tron,
            at: Timestamp::now(),
            version: said,
            failed: BTreeMap::new(),
        };
        let Ok(line) = wire::encode_line(&heartbeat) else { continue };
        if let Err(error) = broker.broadcast(Topic::Heartbeats, line).await {
            warn!(%error, "heartbeat not sent");
        }
    }
}
