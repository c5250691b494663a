//! `Reconciler`: compares what should be with what is, and acts: on every change, every heartbeat and
//! a timer, so that starting, changing and repairing are one path.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use wire::broker::{self, Depth, Heard, Listener, Topic, dead_letters, dead_queue, func_queue};
use wire::{Backoff, Broker, Chain, Control, Heartbeat, Timestamp, store};

use crate::Config;
use crate::log::Log;
use crate::members::{self, Members};
use crate::plan::{self, Plan};
use crate::status::Status;
use crate::table::Table;

/// Members that are behind at the same time are told at the same time: many that start together cost
/// one broadcast, and nobody notices the wait.
const GATHER: Duration = Duration::from_millis(20);

/// A member that stayed silent for this many heartbeats is gone.
const SILENT_HEARTBEATS_MAX: u32 = 3;

/// What keeps the platform from being brought in line, for now.
#[derive(Debug, thiserror::Error)]
enum Setback {
    #[error("reach the broker")]
    Broker(#[from] broker::Error),
    #[error("read the deployment log")]
    Store(#[from] store::Error),
}

/// Owns the plan and performs it.
pub(crate) struct Reconciler {
    broker: Arc<dyn Broker>,
    log: Arc<Log>,
    table: watch::Sender<Arc<Table>>,
    status: watch::Sender<Status>,
    plan: Plan,
    members: Members,
    tick: Duration,
    silence_max: Duration,
    drain_grace: Duration,
    /// When the state is to be told again.
    tell_at: Option<Instant>,
}

impl Reconciler {
    pub(crate) fn new(
        config: &Config,
        broker: Arc<dyn Broker>,
        log: Arc<Log>,
        table: watch::Sender<Arc<Table>>,
        status: watch::Sender<Status>,
    ) -> Self {
        Self {
            broker,
            log,
            table,
            status,
            // Members outlive a Tron: the versions of the next must be above those of the last.
            plan: Plan::new(Timestamp::now().0),
            members: Members::default(),
            tick: config.reconcile_interval,
            silence_max: config.heartbeat_interval * SILENT_HEARTBEATS_MAX,
            drain_grace: config.drain_grace,
            tell_at: None,
        }
    }

    /// Keeps the platform in line until shutdown; bringing it there for the first time is the first repair.
    pub(crate) async fn run(mut self, mut heartbeats: Listener, shutdown: CancellationToken) {
        let log = Arc::clone(&self.log);
        let mut backoff = Backoff::new();
        let mut ticks = tokio::time::interval(self.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let planned = self.plan.deployment().unwrap_or_default();
            let outcome = tokio::select! {
                () = shutdown.cancelled() => return,
                () = log.changed(planned) => self.apply().await,
                heard = heartbeats.next() => {
                    self.hear(heard);
                    continue;
                }
                () = until(self.tell_at) => self.tell().await.map_err(Setback::from),
                _ = ticks.tick() => self.repair().await,
            };
            match outcome {
                Ok(()) => backoff.reset(),
                Err(error) => {
                    warn!(error = %Chain(&error), "state not brought about, trying again");
                    // Without this pause a change that cannot be applied would be tried without end.
                    let _ = tokio::time::timeout(backoff.wait(), shutdown.cancelled()).await;
                }
            }
        }
    }

    /// Queues first, so that nothing is sent where nothing is; then runners, so that they load while
    /// the first calls come; then whoever dispatches.
    async fn apply(&mut self) -> Result<(), Setback> {
        let state = self.log.current().await?;
        if self.plan.deployment() == Some(state.number) {
            return Ok(());
        }
        for func in plan::funcs(&state.routes) {
            self.broker.declare(&dead_queue(&dead_letters(&func.route))).await?;
            self.broker.declare(&func_queue(&func.queue, &func.route)).await?;
        }
        self.plan.adopt(&state, Instant::now());
        // A broadcast that fails is made up for by the timer: it must not keep the table from changing.
        let told_runners = self.broadcast(&self.plan.to_assignment()).await;
        match Table::build(&state.routes) {
            Ok(table) => _ = self.table.send_replace(Arc::new(table)),
            Err(bad) => error!(number = state.number, error = %bad, "deployment refused"),
        }
        self.publish_status();
        told_runners?;
        self.broadcast(&self.plan.to_routes()).await?;
        info!(number = state.number, assignment = self.plan.version(), "deployment in force");
        Ok(())
    }

    /// What the timer does: everything that a lost message, a dead member or another Tron can upset.
    async fn repair(&mut self) -> Result<(), Setback> {
        for member in self.members.forget(Instant::now(), self.silence_max) {
            info!(%member, "member forgotten");
        }
        self.log.refresh().await?;
        self.apply().await?;
        self.drain().await?;
        self.tell().await?;
        self.publish_status();
        Ok(())
    }

    /// Removes the queues of replaced bundles whose last call is answered. The plan keeps a queue until
    /// it is deleted, so that the timer takes up again whatever fails here.
    async fn drain(&mut self) -> Result<(), broker::Error> {
        for queue in self.plan.settled(Instant::now(), self.drain_grace) {
            if self.is_drained(&queue).await? {
                self.plan.drained(queue);
            }
        }
        let drained = self.plan.to_delete();
        if drained.is_empty() {
            return Ok(());
        }
        // Runners first: whoever consumes a queue that goes away declares it again.
        self.broadcast(&self.plan.to_assignment()).await?;
        for queue in drained {
            self.broker.delete(&queue).await?;
            self.plan.deleted(&queue);
            info!(queue, "drained");
        }
        Ok(())
    }

    async fn is_drained(&self, queue: &str) -> Result<bool, broker::Error> {
        match self.broker.depth(queue).await {
            Ok(Depth { ready: 0, unsettled: Some(0) | None, .. }) | Err(broker::Error::Unroutable(_)) => {
                Ok(true)
            }
            Ok(Depth { ready, unsettled, .. }) => {
                debug!(queue, ready, ?unsettled, "still draining");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn hear(&mut self, heard: Heard) {
        let Heard::Payload(payload) = heard else { return };
        let heartbeats: Vec<Heartbeat> = match wire::decode_lines(&payload) {
            Ok(heartbeats) => heartbeats,
            Err(error) => return warn!(error = %Chain(&error), "heartbeat not understood"),
        };
        let deployment = self.plan.deployment().unwrap_or_default();
        for heartbeat in heartbeats {
            if members::is_behind(heartbeat.role, heartbeat.version, deployment, self.plan.version()) {
                self.tell_at.get_or_insert_with(|| Instant::now() + GATHER);
            }
            self.members.hear(heartbeat, Instant::now());
        }
        self.publish_status();
    }

    /// Tells everybody the whole state.
    async fn tell(&mut self) -> Result<(), broker::Error> {
        self.tell_at = None;
        self.broadcast(&self.plan.to_assignment()).await?;
        self.broadcast(&self.plan.to_routes()).await
    }

    async fn broadcast(&self, control: &Control) -> Result<(), broker::Error> {
        match wire::encode_line(control) {
            Ok(line) => self.broker.broadcast(Topic::Control, line).await,
            Err(error) => {
                error!(%error, "control message cannot be written");
                Ok(())
            }
        }
    }

    fn publish_status(&self) {
        self.status.send_replace(Status {
            deployment: self.plan.deployment().unwrap_or_default(),
            assignment: self.plan.version(),
            draining: self.plan.draining(),
            members: self.members.infos(),
        });
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
