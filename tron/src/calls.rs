//! What Tron does for calls whose callers do not wait: it keeps their results, posts them, and tells runners
//! what is cancelled. Several Trons share all of it.

mod callbacks;
mod cancels;
mod intake;
mod results;

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::egress::Tls;
use wire::{Broker, Store};

use crate::{Config, Error};
use callbacks::Callbacks;
use results::Results;

/// Starts all of it. It ends with `stop`.
///
/// # Errors
/// When the encryption of callbacks cannot be set up.
pub(crate) fn spawn(
    tasks: &mut JoinSet<()>,
    config: &Config,
    broker: &Arc<dyn Broker>,
    store: &Store,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let results = Results { broker: Arc::clone(broker), store: store.clone() };
    tasks.spawn(results.run(stop.clone()));
    let callbacks = Callbacks {
        broker: Arc::clone(broker),
        store: store.clone(),
        allowed: config.callbacks.clone(),
        tls: Tls::new()?,
        pause: config.callback_pause,
        stop: stop.clone(),
    };
    tasks.spawn(callbacks.run());
    let (broker, store) = (Arc::clone(broker), store.clone());
    tasks.spawn(cancels::tell(broker, store, config.reconcile_interval, stop.clone()));
    Ok(())
}
