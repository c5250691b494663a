//! `Stage`: one run on a cluster, from the first request to the ledger.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use wire::broker::LEADER;

use super::checker::{Limits, Verdict};
use super::client::Client;
use super::clock::{Clock, until};
use super::cluster::{CALL_TIMEOUT, Cluster};
use super::dead;
use super::expectation;
use super::ledger::{Fault, Ledger};
use super::load::Load;
use super::promises;
use super::run::Run;
use super::strike::Strike;

/// What came of a run.
pub(crate) struct Report {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    /// What was harmed beyond the invariants.
    pub(crate) complaints: Vec<String>,
    pub(crate) faults: Vec<Fault>,
    /// What was measured beside what the ledger says.
    pub(crate) figures: Vec<String>,
}

/// The load before the fault, which says what is normal.
const BEFORE: Duration = Duration::from_secs(4);
/// The load after it, long enough to see that a recovery in ten seconds stays one.
const AFTER: Duration = Duration::from_secs(13);
/// How much longer than the platform's deadline a client waits, to tell late from never.
pub(crate) const PATIENCE: Duration = Duration::from_secs(4);
/// How long what is under way may take to end once nothing more is asked: what was lost is missed after half a minute.
pub(crate) const REST: Duration = Duration::from_secs(90);
const LIMITS: Limits = Limits { deadline: CALL_TIMEOUT, attempts_max: 3 };

impl Report {
    pub(crate) fn is_good(&self) -> bool {
        self.verdict.broken.is_empty() && self.complaints.is_empty()
    }
}

/// Performs one run.
pub(crate) async fn perform(run: Run, cluster: &Cluster, rate: u32, seed: u64) -> Result<Report> {
    let clock = Clock::start();
    cluster.sink.begin(clock, seed);
    let client = Arc::new(Client::new(&cluster.frontends, clock, CALL_TIMEOUT + PATIENCE));
    let load = Load::start(client.clone(), clock, rate, run.mix(), seed);
    clock.reach(BEFORE).await;

    let (random, faults, requests) = (fastrand::Rng::with_seed(!seed), Vec::new(), Vec::new());
    let mut strike = Strike { cluster, client: &client, clock, random, faults, requests };
    strike.make(run).await?;
    let Strike { faults, requests: extra, .. } = strike;
    clock.reach(clock.now() + AFTER).await;

    let end = clock.now();
    let mut requests = load.finish().await;
    requests.extend(extra);
    promises::settle(&client, &mut requests, REST).await;
    let ledger = close(cluster, Ledger { requests, faults, end, ..Ledger::default() }).await?;
    let complaints = expectation::complaints(expectation::spared(run), &ledger);
    let verdict = Verdict::of(&ledger, LIMITS);
    let (name, figures) = (run.name().to_owned(), Vec::new());
    Ok(Report { name, verdict, complaints, faults: ledger.faults, figures })
}

/// Waits for rest, and collects what the others wrote down.
pub(crate) async fn close(cluster: &Cluster, mut ledger: Ledger) -> Result<Ledger> {
    let vhost = cluster.members.cluster().vhost.name.clone();
    let mut left = Vec::new();
    let rest = until("every queue is empty and no call is pending", REST, async || {
        // A broker that does not say is not at rest.
        let Ok(depths) = cluster.broker.depths(&vhost).await else { return false };
        let Ok(pending) = cluster.pending() else { return false };
        let pending = ("calls/pending".to_owned(), pending);
        let lying = depths.into_iter().filter(|(name, _)| !is_last(name)).chain([pending]);
        left = lying.filter(|(_, count)| *count > 0).collect();
        left.is_empty()
    });
    if rest.await.is_err() {
        ledger.left = left;
    }
    let (executions, faults) = cluster.sink.take();
    ledger.executions = executions;
    ledger.faults.extend(faults);
    ledger.dead = dead::letters(&cluster.members.client()).await?;
    Ok(ledger)
}

/// Whether messages stay in a queue: because they end there, or because whoever holds one leads.
fn is_last(queue: &str) -> bool {
    queue.starts_with("dead.") || queue == LEADER
}
