//! Scaling: one of the Trons that were given pools keeps each at the number of runners that its load needs.

mod hand;
mod leadership;
mod report;
mod sight;
mod survey;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use scaling::{Effect, History, Now};
use substrate::{Substrate, Template};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::broker::LEADER;
use wire::{Broker, Chain, PoolName, PoolReport, Timestamp};

use self::hand::{Hand, Wish};
use self::leadership::Leadership;
use self::survey::Found;
use crate::stats::Statistics;

/// How often it is decided anew. A burst is answered within one of these and the time that a runner takes to start.
const TICK: Duration = Duration::from_millis(500);
/// How often runners of pools that there are no more are told to leave.
const RETIRE_INTERVAL: Duration = Duration::from_secs(10);
/// How long an engine may take to tell them.
const RETIRE_PATIENCE: Duration = Duration::from_secs(30);
/// How long a Tron that stops waits for runners that leave with it: less than it has itself.
const LEAVE_PATIENCE: Duration = Duration::from_secs(3);

/// The pools that a Tron is to scale, and what starts and stops their runners.
#[derive(Clone, Debug)]
pub struct Scaling {
    /// Starts and stops runners.
    pub substrate: Arc<dyn Substrate>,
    /// What that is, in a word for people.
    pub kind: String,
    /// The pools.
    pub pools: Vec<ScaledPool>,
}

/// A pool: when it grows and shrinks, and what its runners are made from.
#[derive(Clone, Debug)]
pub struct ScaledPool {
    /// How many runners it has when.
    pub policy: scaling::Pool,
    /// What they are made from.
    pub template: Template,
}

/// Keeps pools at the number of runners that their load needs, for as long as it leads.
pub(crate) struct Scaler {
    pub(crate) scaling: Scaling,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) statistics: Arc<Statistics>,
    /// Where others see what it does: nothing while it does not lead.
    pub(crate) reports: watch::Sender<Vec<PoolReport>>,
}

/// A pool, and who brings it to what is wanted.
struct Charge {
    pool: ScaledPool,
    wish: watch::Sender<Option<Wish>>,
    trouble: watch::Receiver<Option<String>>,
}

impl Scaler {
    /// Scales until `shutdown`.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut tasks = JoinSet::new();
        let (leadership, leads) = Leadership::new(Arc::clone(&self.broker));
        tasks.spawn(leadership.run(shutdown.clone()));
        let (found, seen) = watch::channel(Found::default());
        let templates = self.scaling.pools.iter().map(|pool| pool.template.clone()).collect();
        tasks.spawn(survey::run(Arc::clone(&self.scaling.substrate), templates, found, shutdown.clone()));
        let names = self.scaling.pools.iter().map(|pool| pool.template.pool.clone()).collect();
        tasks.spawn(retire(Arc::clone(&self.scaling.substrate), names, leads.clone(), shutdown.clone()));
        let pools = self.scaling.pools.iter().cloned();
        let charges = pools.map(|pool| self.charge(pool, &mut tasks, &shutdown)).collect();
        let led = self.decide(charges, leads, seen, &shutdown).await;
        while tasks.join_next().await.is_some() {}
        if led {
            self.leave().await;
        }
    }

    fn charge(&self, pool: ScaledPool, tasks: &mut JoinSet<()>, shutdown: &CancellationToken) -> Charge {
        let (wish, wished) = watch::channel(None);
        let (troubled, trouble) = watch::channel(None);
        let hand = Hand {
            substrate: Arc::clone(&self.scaling.substrate),
            template: pool.template.clone(),
            wish: wished,
            trouble: troubled,
        };
        tasks.spawn(hand.run(shutdown.clone()));
        Charge { pool, wish, trouble }
    }

    /// Decides for as long as it leads. Returns whether it did when it was told to stop.
    async fn decide(
        &self,
        charges: Vec<Charge>,
        leads: watch::Receiver<bool>,
        mut seen: watch::Receiver<Found>,
        shutdown: &CancellationToken,
    ) -> bool {
        // What there is comes first: it, or that nobody says it, is known after a while.
        let _known = shutdown.run_until_cancelled(seen.changed()).await;
        let pools: Vec<scaling::Pool> = charges.iter().map(|charge| charge.pool.policy.clone()).collect();
        let (start, mut history) = (Instant::now(), History::new());
        let mut ticks = wire::ticks(TICK);
        let mut led = false;
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            led = *leads.borrow();
            if !led {
                // Whoever led meanwhile may have decided otherwise: what we knew is of no use then.
                history = History::new();
                charges
                    .iter()
                    .for_each(|charge| _ = charge.wish.send_if_modified(|wish| wish.take().is_some()));
                self.reports.send_replace(Vec::new());
                continue;
            }
            let now = Instant::now();
            let (snapshot, found) = (self.statistics.snapshot(now), seen.borrow().clone());
            let stats = sight::stats(&snapshot, &pools, &found, now);
            let moment = Now { elapsed: now.duration_since(start), utc: Timestamp::now() };
            let effects = scaling::plan(&mut history, &stats, &pools, moment);
            let ready = sight::ready(&snapshot);
            let reports = charges.iter().zip(&effects).map(|(charge, effect)| {
                charge.ask(effect, &ready);
                report::of(charge, &self.scaling.kind, effect, &found, &snapshot, now)
            });
            self.reports.send_replace(reports.collect());
        }
        led
    }

    /// Has runners leave that nobody is going to look after.
    async fn leave(&self) {
        let others = self.broker.depth(LEADER).await.is_ok_and(|depth| depth.consumers > 0);
        if others {
            return;
        }
        // Once they were told, they finish what they have, whether or not that is waited for.
        if let Ok(Err(error)) = timeout(LEAVE_PATIENCE, self.scaling.substrate.leave_all()).await {
            warn!(error = %Chain(&error), "runners not told to leave");
        }
    }
}

impl Charge {
    /// Says what is wanted, to whoever does it.
    fn ask(&self, effect: &Effect, ready: &BTreeSet<String>) {
        let Effect { pool, runners, why, .. } = effect;
        let wish = Some(Wish { runners: *runners, ready: ready.clone() });
        self.wish.send_if_modified(|before| {
            let is_news = before.as_ref().map(|before| before.runners) != Some(*runners);
            if is_news {
                info!(%pool, runners, why, "pool to be scaled");
            }
            *before = wish;
            // Who is ready counts when it is said again.
            is_news
        });
    }
}

/// Tells runners of pools that there are no more to leave, now and then while this Tron leads.
async fn retire(
    substrate: Arc<dyn Substrate>,
    kept: Vec<PoolName>,
    leads: watch::Receiver<bool>,
    shutdown: CancellationToken,
) {
    let mut ticks = wire::ticks(RETIRE_INTERVAL);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if !*leads.borrow() {
            continue;
        }
        let retiring = timeout(RETIRE_PATIENCE, substrate.retire(&kept));
        match shutdown.run_until_cancelled(retiring).await {
            None => return,
            Some(Ok(Err(error))) => warn!(error = %Chain(&error), "orphaned runners not told to leave"),
            Some(Err(_late)) => warn!("orphaned runners not told to leave in time"),
            Some(Ok(Ok(()))) => {}
        }
    }
}
