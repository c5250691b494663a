//! `Tron`: its tasks, and how they start and stop together.

use std::sync::Arc;

use dispatch::Table;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::broker::{Listener, Topic};
use wire::{Broker, Store};

use crate::activations::Activations;
use crate::admin::Api;
use crate::bundles::Bundles;
use crate::calls;
use crate::captures::Captures;
use crate::dead_letters::DeadLetters;
use crate::dispatcher::Dispatcher;
use crate::documents::Documents;
use crate::handle::Shared;
use crate::log::Log;
use crate::metrics::Looks;
use crate::observations::Observations;
use crate::own_calls::OwnCalls;
use crate::queues::Queues;
use crate::reconciler::{Ears, Reconciler};
use crate::scaler::Scaler;
use crate::stats::{Depths, Statistics};
use crate::status::Status;
use crate::sweeper::Sweeper;
use crate::trials::Trials;
use crate::{Config, Error, Handle, Inspect, heartbeats};

/// Dispatches calls and keeps the platform in line with the desired state.
pub struct Tron {
    config: Config,
    handle: Handle,
    status: watch::Sender<Status>,
}

impl Tron {
    /// A Tron that does nothing yet, and the handle to it.
    pub fn new(config: Config, broker: Arc<dyn Broker>, store: Store, inspect: Inspect) -> (Self, Handle) {
        let (status, status_seen) = watch::channel(Status::default());
        let log = Arc::new(Log::new(store.clone()));
        let own_calls = OwnCalls::new(Arc::clone(&broker), &config.member);
        let observations = Arc::new(Observations::new(store.clone(), Arc::clone(&broker)));
        let captures = Captures::new(
            Arc::clone(&broker),
            store.clone(),
            observations.clone(),
            config.capture_linger,
            config.sweep_interval,
        );
        let shared = Shared {
            member: config.member.clone(),
            dead_letters: DeadLetters::new(Arc::clone(&broker), Arc::clone(&log), store.clone()),
            observations,
            captures: Arc::new(captures),
            broker,
            log,
            bundles: Bundles::new(store.clone(), inspect, config.bundle_bytes_max),
            documents: Documents::default(),
            store,
            activations: Arc::new(Activations::new(&config)),
            status: status_seen,
            statistics: Arc::new(Statistics::new(config.silence_max())),
            own_calls: Arc::new(own_calls),
            dispatched: Arc::default(),
            looks: Looks::default(),
            ready_timeout: config.ready_timeout,
            changes: Mutex::new(()),
        };
        let handle = Handle { shared: Arc::new(shared) };
        (Self { config, handle: handle.clone(), status }, handle)
    }

    /// Runs until shutdown. What it cannot reach, it waits for.
    ///
    /// # Errors
    /// When a mistake of ours breaks a part of it off.
    pub async fn run(self, admin_listener: TcpListener, shutdown: CancellationToken) -> Result<(), Error> {
        let Self { config, handle, status } = self;
        let shared = &handle.shared;
        let broker = Arc::clone(&shared.broker);
        let (table, table_seen) = watch::channel(Arc::new(Table::default()));
        let (status_seen, log) = (status.subscribe(), Arc::clone(&shared.log));
        // One that ends takes the others with it, whoever ends first.
        let stop = shutdown.child_token();
        let _stop_on_return = stop.clone().drop_guard();
        let metrics = config.metrics.clone();
        metrics.add(Arc::new(handle.clone()));
        let api =
            Api::new(handle.clone(), config.token.clone(), config.bundle_bytes_max, metrics, stop.clone())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(api.serve(admin_listener));
        tasks.spawn(Sweeper::new(&config, shared.store.clone()).run(stop.clone()));
        let statistics = Arc::clone(&shared.statistics);
        let depths = Depths { statistics, queues: Queues { broker: Arc::clone(&broker) } };
        tasks.spawn(depths.run(stop.clone()));
        tasks.spawn(Arc::clone(&shared.own_calls).run(stop.clone()));
        let (statistics, status_of_trials) = (Arc::clone(&shared.statistics), status.subscribe());
        let trials = Trials { log: Arc::clone(&log), statistics, status: status_of_trials };
        tasks.spawn(trials.run(stop.clone()));
        calls::spawn(&mut tasks, &config, &broker, &shared.store, &log, &stop)?;
        // Listening comes before speaking: no answer to the first broadcast is lost.
        let opened = async {
            let heartbeats = Listener::open(Arc::clone(&broker), Topic::Heartbeats).await;
            let control = Listener::open(Arc::clone(&broker), Topic::Control).await;
            let recorded = Listener::open(Arc::clone(&broker), Topic::Activations).await;
            (Ears { heartbeats, control }, recorded)
        };
        if let Some((ears, recorded)) = stop.run_until_cancelled(opened).await {
            tasks.spawn(Arc::clone(&shared.activations).run(recorded, stop.clone()));
            let reconciler = Reconciler::new(
                &config,
                Arc::clone(&broker),
                log,
                table,
                status,
                Arc::clone(&shared.statistics),
                Arc::clone(&shared.captures),
            );
            tasks.spawn(reconciler.run(ears, stop.clone()));
            tasks.spawn(Arc::clone(&shared.observations).run(stop.clone()));
            tasks.spawn(Arc::clone(&shared.captures).run(stop.clone()));
            let dispatcher = Dispatcher {
                broker: Arc::clone(&broker),
                table: table_seen,
                counts: Arc::clone(&shared.dispatched),
                tracer: config.tracer,
            };
            tasks.spawn(dispatch(dispatcher, stop.clone()));
            let (reports, pools) = watch::channel(Vec::new());
            if let Some(scaling) = config.scaling {
                let (broker, statistics) = (Arc::clone(&broker), Arc::clone(&shared.statistics));
                tasks.spawn(Scaler { scaling, broker, statistics, reports }.run(stop.clone()));
            }
            tasks.spawn(heartbeats::send(
                broker,
                config.member,
                config.heartbeat_interval,
                status_seen,
                pools,
                stop.clone(),
            ));
        }
        join(tasks, &stop).await
    }
}

/// Dispatches from the first table on: before that, every call would be told that it has no route.
async fn dispatch(mut dispatcher: Dispatcher, stop: CancellationToken) {
    if let Some(Ok(())) = stop.run_until_cancelled(dispatcher.table.changed()).await {
        dispatcher.run(stop).await;
    }
}

/// Waits for every task; the first error is the one that counts.
async fn join(mut tasks: JoinSet<()>, stop: &CancellationToken) -> Result<(), Error> {
    let mut outcome = Ok(());
    while let Some(ended) = tasks.join_next().await {
        stop.cancel();
        outcome = outcome.and(ended.map_err(Error::from));
    }
    outcome
}
