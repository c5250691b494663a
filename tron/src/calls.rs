//! What Tron does for calls whose callers do not wait: it keeps their results, posts them, tells runners what is
//! cancelled, and looks for those that got lost. Several Trons share all of it.

mod audit;
mod callbacks;
mod cancels;
mod intake;
mod results;

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::egress::Tls;
use wire::{Broker, Store};

use crate::log::Log;
use crate::{Config, Error};
use audit::Audit;
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
    log: &Arc<Log>,
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
    let (member, log) = (config.member.clone(), Arc::clone(log));
    let audit = Audit::new(Arc::clone(&broker), store.clone(), log, member, config.lost_after);
    tasks.spawn(audit.run(stop.clone()));
    tasks.spawn(cancels::tell(broker, store, config.reconcile_interval, stop.clone()));
    Ok(())
}
