//! `Member`: follows the assignment, loads what it asks for and says what it holds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::broker::{Heard, Topic, func_queue};
use wire::{
    Assignment, Broker, Chain, Control, FuncAssignment, Heartbeat, MemberId, Role, Timestamp, Version,
    decode_lines, encode_line,
};

use crate::Error;
use crate::deployed::Deployed;
use crate::loader::Loader;
use crate::worker::Serving;

/// How often it tries again to load what it could not.
const RELOAD: Duration = Duration::from_secs(15);

/// What a runner is to the others.
pub(crate) struct Member {
    id: MemberId,
    broker: Arc<dyn Broker>,
    loader: Loader,
    serving: watch::Sender<Serving>,
    /// What is loaded, with what it was loaded from.
    loaded: HashMap<String, (FuncAssignment, Arc<Deployed>)>,
    assignment: Assignment,
    failed: BTreeMap<String, String>,
}

impl Member {
    pub(crate) fn new(id: MemberId, broker: Arc<dyn Broker>, loader: Loader) -> Self {
        Self {
            id,
            broker,
            loader,
            serving: watch::Sender::default(),
            loaded: HashMap::new(),
            assignment: Assignment { v: Version, version: 0, funcs: Vec::new() },
            failed: BTreeMap::new(),
        }
    }

    /// What the workers are to serve, now and whenever it changes.
    pub(crate) fn serving(&self) -> watch::Receiver<Serving> {
        self.serving.subscribe()
    }

    /// Follows the assignment until `shutdown`.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        let mut control = self.broker.subscribe(Topic::Control).await?;
        let mut heartbeat = every(Heartbeat::INTERVAL);
        let mut reload = every(RELOAD);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = heartbeat.tick() => self.beat().await,
                _ = reload.tick() => if !self.failed.is_empty() { self.load().await },
                heard = control.next() => match heard {
                    Some(Heard::Payload(payload)) => match decode_lines(&payload) {
                        Ok(messages) => for message in messages { self.hear(message).await },
                        Err(error) => warn!(error = %Chain(&error), "control message cannot be read"),
                    },
                    // The next heartbeat shows that we are behind, and we are told everything again.
                    Some(Heard::Missed(count)) => warn!(count, "control messages missed"),
                    None => return Err(wire::broker::Error::Unavailable.into()),
                },
            }
        }
    }

    async fn hear(&mut self, message: Control) {
        match message {
            Control::Assignment(assignment) if assignment.version > self.assignment.version => {
                self.assignment = assignment;
                self.load().await;
            }
            Control::Assignment(_) | Control::Routes { .. } | Control::Cancel { .. } => {}
        }
    }

    /// Brings what is loaded in line with the assignment, and says so.
    async fn load(&mut self) {
        self.failed.clear();
        let mut loaded = HashMap::new();
        for wanted in &self.assignment.funcs {
            // Whoever sees in our heartbeat that a Func is held may send to its queue at once.
            if let Err(error) = self.broker.declare(&func_queue(&wanted.queue, &wanted.route)).await {
                warn!(queue = %wanted.queue, %error, "queue not declared");
            }
            if let Some(kept) = self.loaded.remove(&wanted.queue).filter(|(before, _)| before == wanted) {
                loaded.insert(wanted.queue.clone(), kept);
                continue;
            }
            match self.loader.load(wanted).await {
                Ok(deployed) => {
                    info!(queue = %wanted.queue, bundle = %wanted.sha.short(), "func loaded");
                    loaded.insert(wanted.queue.clone(), (wanted.clone(), Arc::new(deployed)));
                }
                Err(error) => {
                    let reason = Chain(&error).to_string();
                    warn!(queue = %wanted.queue, bundle = %wanted.sha.short(), error = %reason, "func not loaded");
                    self.failed.insert(wanted.queue.clone(), reason);
                }
            }
        }
        self.loaded = loaded;
        let serving = self.loaded.iter().map(|(queue, (_, deployed))| (queue.clone(), deployed.clone()));
        self.serving.send_replace(Arc::new(serving.collect()));
        self.beat().await;
    }

    async fn beat(&self) {
        let heartbeat = Heartbeat {
            v: Version,
            member: self.id.clone(),
            role: Role::Runner,
            at: Timestamp::now(),
            version: self.assignment.version,
            failed: self.failed.clone(),
        };
        // A heartbeat is texts and numbers: it can always be written.
        let line = encode_line(&heartbeat).unwrap_or_default();
        if let Err(error) = self.broker.broadcast(Topic::Heartbeats, line).await {
            warn!(%error, "heartbeat not sent");
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
