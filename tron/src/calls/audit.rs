//! `Audit`: finds promised calls that are nowhere any more, has them begun again, and gives up those whose time
//! is over.

mod decision;
mod looks;
mod remedy;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dispatch::{Call, Table};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::broker::{self, Depth, REQUESTS, RESULTS, RETRIES};
use wire::{ActivationId, Broker, Chain, Invoke, MemberId, Store, Timestamp, store};

use crate::log::Log;
use crate::queues::Queues;
use decision::{Case, Decision, decide};
use looks::Looks;
use remedy::Remedy;

/// Calls that are looked at in a round. Each is read from the store, and each round goes on where the one before
/// it ended.
const CALLS_MAX: usize = 256;

/// Calls that are read at a time: enough to hide the round trip to a distant store.
const READS_MAX: usize = 16;

/// Rounds in the time after which a call may be taken for lost: it comes to be known soon after that.
const ROUNDS: u32 = 10;
/// A round lists every call that has not ended.
const PERIOD_MIN: Duration = Duration::from_secs(1);
/// However long calls may take, the queues are looked at that often.
const PERIOD_MAX: Duration = Duration::from_secs(30);

/// Where any call can be, or what came of it.
const SHARED: [&str; 3] = [REQUESTS, RETRIES, RESULTS];

/// Finds promised calls that are nowhere any more. Several Trons may do so over one store.
pub(super) struct Audit {
    broker: Arc<dyn Broker>,
    store: Store,
    log: Arc<Log>,
    remedy: Remedy,
    lost_after: Duration,
    /// The last call that was looked at, if there were more behind it.
    behind: Option<ActivationId>,
    looks: Looks,
}

/// A call that has not ended, and what there is to know about it.
struct Open {
    invoke: Invoke,
    /// How often it was claimed, and when for the last time.
    claimed: Option<(u32, Timestamp)>,
    /// The queues of Funcs where it can be; first that which it would be put into now.
    queues: Vec<String>,
}

/// Why a round came to no end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Setback {
    #[error("read what was promised")]
    Store(#[from] store::Error),
    #[error("look at queues")]
    Broker(#[from] broker::Error),
}

impl Audit {
    pub(super) fn new(
        broker: Arc<dyn Broker>,
        store: Store,
        log: Arc<Log>,
        member: MemberId,
        lost_after: Duration,
    ) -> Self {
        let remedy = Remedy { broker: Arc::clone(&broker), store: store.clone(), member };
        Self { broker, store, log, remedy, lost_after, behind: None, looks: Looks::new(lost_after) }
    }

    /// Looks again and again, until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut rounds = wire::ticks((self.lost_after / ROUNDS).clamp(PERIOD_MIN, PERIOD_MAX));
        while stop.run_until_cancelled(rounds.tick()).await.is_some() {
            // What it has claimed when it is stopped is claimed again later.
            match stop.run_until_cancelled(self.round(Timestamp::now())).await {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    warn!(error = %Chain(&error), "promised calls not looked for");
                    // A broker that was away may have given calls back since.
                    self.looks.forget();
                }
                None => return,
            }
        }
    }

    async fn round(&mut self, now: Timestamp) -> Result<(), Setback> {
        let calls = self.store.pending_calls(now.before(self.lost_after), self.behind, CALLS_MAX).await?;
        self.behind = calls.last().copied().filter(|_| calls.len() == CALLS_MAX);
        if calls.is_empty() {
            return Ok(());
        }
        let tables = self.tables().await?;
        let open: Vec<Option<Open>> = stream::iter(calls)
            .map(|call| open(&self.store, &tables, call))
            .buffer_unordered(READS_MAX)
            .try_collect()
            .await?;
        let open: Vec<Open> = open.into_iter().flatten().collect();
        let depths = self.depths(&open).await?;
        let is_empty = |queue: &str| depths.get(queue).is_none_or(|depth| is_empty(*depth));
        let shared_are_empty = SHARED.into_iter().all(is_empty);
        for call in open {
            let is_nowhere = shared_are_empty && call.queues.iter().all(|queue| is_empty(queue));
            let nowhere_since = is_nowhere.then(|| self.looks.note(&call.queues, now)).flatten();
            self.settle(call, nowhere_since, now).await;
        }
        Ok(())
    }

    async fn settle(&self, call: Open, nowhere_since: Option<Timestamp>, now: Timestamp) {
        let Open { invoke, claimed, queues } = call;
        let (claims, claimed_at) = claimed.unwrap_or((0, invoke.at));
        let begun_at = claimed_at.max(invoke.at);
        let case = Case { begun_at, deadline: invoke.deadline, claims, nowhere_since };
        let decision = decide(case, self.lost_after, now);
        if decision == Decision::Leave {
            return;
        }
        let (activation, request_id) = (invoke.activation, invoke.id.clone());
        let queue = queues.first().map(String::as_str);
        if let Err(error) = self.remedy.apply(invoke, queue, claims + 1, decision, now).await {
            warn!(%request_id, %activation, error = %Chain(&error), "promised call left for another time");
        }
    }

    /// The tables by which calls were dispatched lately, newest first: what was replaced may hold some yet.
    async fn tables(&self) -> Result<Vec<Table>, store::Error> {
        let (current, before) = self.log.recent().await?;
        let deployments = std::iter::once(current).chain(before);
        // One that cannot be applied never was.
        Ok(deployments.filter_map(|deployment| Table::build(&deployment.routes).ok()).collect())
    }

    /// What lies in all the queues where these calls can be.
    async fn depths(&self, open: &[Open]) -> Result<HashMap<String, Option<Depth>>, broker::Error> {
        let mut queues: Vec<String> = SHARED.map(str::to_owned).to_vec();
        queues.extend(open.iter().flat_map(|call| call.queues.iter().cloned()));
        queues.sort_unstable();
        queues.dedup();
        let depths = Queues { broker: Arc::clone(&self.broker) }.depths(queues).await?;
        Ok(depths.into_iter().collect())
    }
}

/// What there is to know about a call; none for one that ended meanwhile, or that nobody can read.
async fn open(store: &Store, tables: &[Table], call: ActivationId) -> Result<Option<Open>, store::Error> {
    let read = tokio::try_join!(store.pending_call(call), store.last_claim(call));
    let (invoke, claim) = match read {
        Ok(read) => read,
        Err(error @ store::Error::BadRecord { .. }) => {
            warn!(activation = %call, error = %Chain(&error), "promised call cannot be looked for");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let Some(invoke) = invoke else { return Ok(None) };
    let mut queues: Vec<String> = Vec::new();
    for table in tables {
        match table.queue(&Call::from(&invoke)) {
            Ok(queue) if !queues.iter().any(|known| **known == **queue) => queues.push(queue.to_string()),
            _ => {}
        }
    }
    Ok(Some(Open { invoke, claimed: claim.map(|claim| (claim.number, claim.at)), queues }))
}

/// Whether nothing lies there, and nothing that was there is known to be held by anybody.
fn is_empty(depth: Option<Depth>) -> bool {
    depth.is_none_or(|depth| depth.ready == 0 && depth.held_back == 0 && depth.unsettled.unwrap_or(0) == 0)
}
