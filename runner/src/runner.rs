//! The runner as a whole: it starts its workers, follows its assignment and drains.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;
use wire::{Broker, Store};

use crate::capture::Captures;
use crate::loader::Loader;
use crate::member::Member;
use crate::worker::Worker;
use crate::{Config, Error};

/// Runs Funcs until `shutdown`; then lets running calls finish, for `drain_timeout` at most.
///
/// # Errors
/// When it cannot be set up, or loses a thread. A broker that is not there is waited for.
pub async fn run(
    config: Config,
    broker: Arc<dyn Broker>,
    store: Store,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    config.metrics.size(&config);
    let loader = Loader::new(&config, store)?;
    let (captures, publisher) = Captures::new(broker.clone());
    let member = Member::new(&config, broker.clone(), loader, captures.missed());
    let stop = shutdown.child_token();
    // However this function ends, its threads end with it.
    let _stop_on_exit = stop.clone().drop_guard();
    let mut threads = Vec::with_capacity(config.threads + 1);
    threads.push(publisher.spawn(stop.clone()).map_err(Error::Thread)?);
    for number in 0..config.threads {
        let worker = Worker {
            broker: broker.clone(),
            serving: member.serving(),
            captures: captures.clone(),
            cancels: member.cancels(),
            observations: member.observations(),
            tries_alone: number == 0,
            shutdown: stop.clone(),
        };
        threads.push(worker.spawn(format!("func-{number}"), &config).map_err(Error::Thread)?);
    }
    // Its thread ends with the last of the others.
    drop(captures);
    member.run(stop.clone()).await;
    stop.cancel();
    let joined = tokio::task::spawn_blocking(|| threads.into_iter().try_for_each(JoinHandle::join));
    match joined.await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Error::Thread(io::Error::other("a worker's thread panicked"))),
    }
}
