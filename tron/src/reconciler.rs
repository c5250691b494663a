//! `Reconciler`: compares what should be with what is, and acts: on every change, every heartbeat and
//! a timer, so that starting, changing and repairing are one path.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dispatch::Table;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use wire::broker::{self, Heard, Listener, Topic};
use wire::{Backoff, Broker, Chain, Control, ControlHead, ControlKind, Heartbeat, MemberId, store};

use crate::Config;
use crate::captures::Captures;
use crate::log::Log;
use crate::members::{self, Members};
use crate::placement::{Known, Placement};
use crate::plan::Plan;
use crate::queues::Queues;
use crate::round::Round;
use crate::stats::Statistics;
use crate::status::Status;
use crate::trials;

/// Members that are behind at the same time are told at the same time: many that start together cost
/// one broadcast, and nobody notices the wait.
const GATHER: Duration = Duration::from_millis(20);

/// Queues that ought not to go away, or ought not to be there, are looked at on one tick in this many.
const SWEEP_TICKS: u32 = 5;
/// So many of those that ought to be there are made sure of each time, in turns: a thousand Funcs are a
/// thousand questions, and the calls are the broker's first duty. A runner that loses a queue makes it again.
const SWEEP_LEN_MAX: usize = 64;

/// What keeps the platform from being brought in line, for now.
#[derive(Debug, thiserror::Error)]
enum Setback {
    #[error("reach the broker")]
    Broker(#[from] broker::Error),
    #[error("read the deployment log")]
    Store(#[from] store::Error),
}

/// What the reconciler listens to.
pub(crate) struct Ears {
    pub(crate) heartbeats: Listener,
    pub(crate) control: Listener,
}

/// Owns the plan and performs it.
pub(crate) struct Reconciler {
    us: MemberId,
    broker: Arc<dyn Broker>,
    queues: Queues,
    log: Arc<Log>,
    table: watch::Sender<Arc<Table>>,
    status: watch::Sender<Status>,
    statistics: Arc<Statistics>,
    captures: Arc<Captures>,
    plan: Plan,
    members: Members,
    placement: Placement,
    /// The queues of bundles on trial that get no calls yet, and why.
    unloaded: BTreeMap<String, String>,
    tick: Duration,
    /// When the state is to be told again.
    tell_at: Option<Instant>,
    ticks_until_sweep: u32,
    sweep: Round,
}

impl Reconciler {
    pub(crate) fn new(
        config: &Config,
        broker: Arc<dyn Broker>,
        log: Arc<Log>,
        table: watch::Sender<Arc<Table>>,
        status: watch::Sender<Status>,
        statistics: Arc<Statistics>,
        captures: Arc<Captures>,
    ) -> Self {
        Self {
            us: config.member.clone(),
            queues: Queues { broker: Arc::clone(&broker) },
            broker,
            log,
            table,
            status,
            statistics,
            captures,
            plan: Plan::new(config.drain_grace),
            members: Members::new(config.silence_max()),
            placement: Placement::default(),
            unloaded: BTreeMap::new(),
            tick: config.reconcile_interval,
            tell_at: None,
            ticks_until_sweep: 0,
            sweep: Round::new(SWEEP_LEN_MAX),
        }
    }

    /// Keeps the platform in line until shutdown; bringing it there for the first time is the first repair.
    pub(crate) async fn run(mut self, mut ears: Ears, shutdown: CancellationToken) {
        let log = Arc::clone(&self.log);
        let mut backoff = Backoff::new();
        let mut ticks = wire::ticks(self.tick);
        loop {
            let planned = self.planned();
            let outcome = tokio::select! {
                () = shutdown.cancelled() => return,
                () = log.changed(planned) => self.apply().await,
                heard = ears.heartbeats.next() => {
                    self.hear_heartbeats(heard);
                    continue;
                }
                heard = ears.control.next() => self.hear_control(heard).await,
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

    /// The number of the deployment that is in force.
    fn planned(&self) -> u64 {
        self.plan.deployment().unwrap_or_default()
    }

    /// Queues first, so that nothing is sent where nothing is; then runners, so that they load while
    /// the first calls come; then whoever dispatches.
    async fn apply(&mut self) -> Result<(), Setback> {
        let (state, before) = self.log.recent().await?;
        if self.plan.deployment() == Some(state.number) {
            return Ok(());
        }
        self.queues.declare(self.plan.added(&state)).await?;
        self.plan.adopt(&state, &before, Instant::now());
        self.statistics.expect(self.plan.queues(), Instant::now());
        // Before runners hear of it: nothing that a bundle on trial does is missed.
        self.statistics.try_out(&trials::queues(&state.routes));
        self.weigh();
        // A broadcast that fails is made up for by the timer: it must not keep the table from changing.
        let told_runners = self.tell_runners().await;
        match Table::build(&state.routes) {
            Ok(table) => {
                self.table.send_replace(Arc::new(table.with_unserved(self.unserved())));
            }
            Err(bad) => error!(number = state.number, error = %bad, "deployment refused"),
        }
        self.publish_status();
        told_runners?;
        self.broadcast(&self.plan.to_routes(self.unserved())).await?;
        info!(number = state.number, "deployment in force");
        Ok(())
    }

    /// What the timer does: everything that a lost message, a dead member or another Tron can upset.
    async fn repair(&mut self) -> Result<(), Setback> {
        self.place();
        self.log.refresh().await?;
        self.apply().await?;
        self.look().await?;
        self.statistics.expect(self.plan.queues(), Instant::now());
        self.tell().await?;
        self.publish_status();
        Ok(())
    }

    /// Looks at the queues of replaced Funcs and deletes those that nobody needs. Now and then at all that
    /// there ever were; and makes sure then of those that ought to be there.
    async fn look(&mut self) -> Result<(), broker::Error> {
        let is_sweep = self.ticks_until_sweep == 0;
        self.ticks_until_sweep = self.ticks_until_sweep.checked_sub(1).unwrap_or(SWEEP_TICKS);
        if is_sweep {
            let turn = self.sweep.next(self.plan.wanted()).to_vec();
            self.queues.declare(turn).await?;
            self.queues.declare_shared().await?;
        }
        let doubtful = if is_sweep { self.plan.suspects() } else { self.plan.leftovers() };
        for (queue, depth) in self.queues.depths(doubtful).await? {
            if let Some(depth) = depth {
                debug!(queue, ?depth, "queue of a replaced func");
            }
            if self.plan.see(&queue, depth, Instant::now()) {
                self.queues.delete(&queue).await?;
                self.plan.see(&queue, None, Instant::now());
            }
        }
        Ok(())
    }

    /// Another Tron's state is newer than ours: its log has what ours lacks.
    async fn hear_control(&mut self, heard: Heard) -> Result<(), Setback> {
        let Heard::Payload(payload) = heard else { return Ok(()) };
        let mut deployment = 0;
        for line in wire::split_lines(&payload) {
            match wire::decode_line::<ControlHead>(&line) {
                Ok(head) if head.kind == ControlKind::Observation => {
                    self.captures.observations.hear(head.version);
                }
                Ok(head) => deployment = head.version.max(deployment),
                Err(_of_a_later_build) => {}
            }
        }
        if deployment > self.planned() {
            self.log.refresh().await?;
            self.apply().await?;
        }
        Ok(())
    }

    fn hear_heartbeats(&mut self, heard: Heard) {
        let payload = match heard {
            Heard::Payload(payload) => payload,
            // The broker may have been away, and may have lost more than that.
            Heard::Missed(_) => return self.ticks_until_sweep = 0,
        };
        let heartbeats: Vec<Heartbeat> = match wire::decode_lines(&payload) {
            Ok(heartbeats) => heartbeats,
            Err(error) => return warn!(error = %Chain(&error), "heartbeat not understood"),
        };
        let planned = self.planned();
        for heartbeat in heartbeats {
            if members::is_behind(heartbeat.role, heartbeat.version, planned) {
                self.tell_at.get_or_insert_with(|| Instant::now() + GATHER);
            }
            self.captures.hear(&heartbeat);
            self.statistics.observe(&heartbeat, Instant::now());
            self.members.hear(heartbeat, Instant::now());
        }
        self.place();
        self.publish_status();
    }

    /// Sees who is gone, and follows what changes about who can run what: dispatchers are told at once.
    fn place(&mut self) {
        for member in self.members.forget(Instant::now()) {
            info!(%member, "member forgotten");
        }
        if self.weigh() {
            let unserved = self.unserved();
            self.table.send_modify(|table| *table = Arc::new(table.with_unserved(unserved)));
            self.tell_at = Some(Instant::now());
        }
    }

    /// Works out who can run what, if there is reason to, and who does; whether that changed.
    fn weigh(&mut self) -> bool {
        let known = Known { plan: self.plan.revision(), members: self.members.revision(Instant::now()) };
        let is_moved = self.placement.update(known, || self.plan.assigned(), || self.members.fleet());
        let unloaded = trials::unloaded(self.plan.routes(), self.placement.holders(), &self.members);
        let before = std::mem::replace(&mut self.unloaded, unloaded);
        is_moved || before != self.unloaded
    }

    /// The queues that get no calls, and why.
    fn unserved(&self) -> BTreeMap<String, String> {
        self.unloaded
            .iter()
            .chain(self.placement.unserved())
            .map(|(queue, why)| (queue.clone(), why.clone()))
            .collect()
    }

    /// Tells everybody the whole state.
    async fn tell(&mut self) -> Result<(), broker::Error> {
        self.place();
        self.tell_at = None;
        self.tell_runners().await?;
        self.broadcast(&self.plan.to_routes(self.unserved())).await
    }

    /// Tells runners what is theirs. Where they cannot all hold all, one Tron alone says who holds what, and only when
    /// it knows who is there: two that differ for a moment would have Funcs move to and fro.
    async fn tell_runners(&self) -> Result<(), broker::Error> {
        let holders = self.placement.holders();
        let may_tell = match self.members.revision(Instant::now()) {
            Some(_) => holders.is_empty() || self.members.leads(&self.us),
            None => !self.members.are_bounded(),
        };
        if may_tell { self.broadcast(&self.plan.to_assignment(holders)).await } else { Ok(()) }
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
            deployment: self.planned(),
            draining: self.plan.draining(),
            unserved: self.placement.unserved().clone(),
            holders: Arc::clone(self.placement.holders()),
            members: self.members.infos().cloned().collect(),
        });
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
