//! `Handle`: what an operator can ask of Tron; the admin API and `funcatron dev` both go through it.

mod calls;
mod captures;
mod deploying;
mod documents;
mod levels;
mod stats;

pub use documents::Compared;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, watch};
use wire::admin::{
    BundleInfo, DeadLetter, DeadQueue, Deployment, DeploymentInfo, Health, LogEntry, MemberInfo, Purged,
    RedriveRequest, Redriven, RouteInfo, TrialReport,
};
use wire::store::RecordKind;
use wire::{Activation, ActivationId, BodySha, Broker, BundleSha, MemberId, Route, RouteId, Store};

use crate::Rejection;
use crate::activations::{Activations, Follow};
use crate::bundles::{Bundles, Uploaded};
use crate::captures::Captures;
use crate::dead_letters::DeadLetters;
use crate::desired;
use crate::dispatcher::Counts;
use crate::documents::Documents;
use crate::log::Log;
use crate::metrics::Looks;
use crate::observations::Observations;
use crate::own_calls::OwnCalls;
use crate::query::Query;
use crate::stats::Statistics;
use crate::status::Status;
use crate::trials;

/// Entries of the deployment log in a listing: each is read from the store.
const HISTORY_MAX: usize = 100;

/// What an operator can ask of Tron. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

/// What the clones of a handle share.
pub(crate) struct Shared {
    pub(crate) member: MemberId,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) log: Arc<Log>,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) bundles: Bundles,
    pub(crate) documents: Documents,
    pub(crate) store: Store,
    pub(crate) activations: Arc<Activations>,
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) statistics: Arc<Statistics>,
    pub(crate) observations: Arc<Observations>,
    pub(crate) own_calls: Arc<OwnCalls>,
    pub(crate) captures: Arc<Captures>,
    pub(crate) dispatched: Arc<Counts>,
    pub(crate) looks: Looks,
    pub(crate) ready_timeout: Duration,
    /// Held while the state is changed: a bundle must not be deleted while it is being deployed.
    pub(crate) changes: Mutex<()>,
}

impl Handle {
    /// Keeps a bundle, if there is nothing wrong with it. Uploading it again changes nothing.
    ///
    /// # Errors
    /// When it is no bundle, is too large, or is faulty in its document or code.
    pub async fn upload(&self, zip: Bytes) -> Result<Uploaded, Rejection> {
        self.shared.bundles.upload(zip).await
    }

    /// An object of a large body.
    pub(crate) async fn body_object(&self, sha: &BodySha) -> Result<Option<Bytes>, Rejection> {
        Ok(self.shared.store.body_object(sha).await?)
    }

    /// Keeps an object of a large body, if it is what it is named for.
    pub(crate) async fn put_body_object(&self, sha: BodySha, bytes: Bytes) -> Result<(), Rejection> {
        match self.shared.store.put_body_object(sha, bytes).await {
            Err(error @ wire::store::Error::BodyDamaged(_)) => Err(Rejection::Malformed(error.to_string())),
            kept => Ok(kept?),
        }
    }

    /// A record of a call that nobody waits for.
    pub(crate) async fn call_record(
        &self,
        kind: RecordKind,
        activation: ActivationId,
    ) -> Result<Option<Bytes>, Rejection> {
        Ok(self.shared.store.call_record(kind, activation).await?)
    }

    /// Keeps a record of a call, if it is one that frontends write.
    pub(crate) async fn put_call_record(
        &self,
        kind: RecordKind,
        activation: ActivationId,
        json: &[u8],
    ) -> Result<(), Rejection> {
        check_frontends(kind)?;
        match self.shared.store.put_call_record(kind, activation, json).await {
            Err(error @ wire::store::Error::BadRecord { .. }) => Err(Rejection::Malformed(error.to_string())),
            kept => Ok(kept?),
        }
    }

    /// Deletes a record of a call, if it is one that frontends write.
    pub(crate) async fn delete_call_record(
        &self,
        kind: RecordKind,
        activation: ActivationId,
    ) -> Result<(), Rejection> {
        check_frontends(kind)?;
        Ok(self.shared.store.delete_call_record(kind, activation).await?)
    }

    /// Every bundle that can be read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn bundles(&self) -> Result<Vec<Arc<BundleInfo>>, Rejection> {
        self.shared.bundles.all().await
    }

    /// The description of a bundle.
    ///
    /// # Errors
    /// When there is no such bundle.
    pub async fn bundle(&self, sha: &BundleSha) -> Result<Arc<BundleInfo>, Rejection> {
        self.shared.bundles.info(sha).await
    }

    /// The bytes of a bundle.
    ///
    /// # Errors
    /// When there is no such bundle.
    pub async fn bundle_content(&self, sha: &BundleSha) -> Result<Bytes, Rejection> {
        self.shared.bundles.content(sha).await
    }

    /// Removes a bundle.
    ///
    /// # Errors
    /// When there is no such bundle, or calls need it.
    pub async fn delete_bundle(&self, sha: &BundleSha) -> Result<(), Rejection> {
        let _changing = self.shared.changes.lock().await;
        let state = self.shared.log.current().await?;
        if desired::uses(&state, sha) || self.shared.status.borrow().draining.contains(sha) {
            return Err(Rejection::Conflict(format!("bundle {} is in use", sha.short())));
        }
        self.shared.bundles.delete(sha).await
    }

    /// One entry of the deployment log.
    ///
    /// # Errors
    /// When there is no such entry, or it cannot be read.
    pub async fn deployment(&self, number: u64) -> Result<Deployment, Rejection> {
        self.shared.log.entry(number).await
    }

    /// The newest entries of the deployment log, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn history(&self) -> Result<Vec<DeploymentInfo>, Rejection> {
        Ok(self.shared.log.history(HISTORY_MAX).await?)
    }

    /// Every route.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn routes(&self) -> Result<Vec<RouteInfo>, Rejection> {
        let state = self.shared.log.current().await?;
        let reports = trials::reports(&state, &self.shared.statistics);
        let mut infos = Vec::with_capacity(state.routes.len());
        for route in &state.routes {
            infos.push(self.describe(route, &reports).await);
        }
        Ok(infos)
    }

    /// One route.
    ///
    /// # Errors
    /// When there is no such route.
    pub async fn route(&self, id: &RouteId) -> Result<RouteInfo, Rejection> {
        let reports = trials::reports(&*self.shared.log.current().await?, &self.shared.statistics);
        Ok(self.describe(&self.deployed(id).await?, &reports).await)
    }

    /// A route of the desired state.
    async fn deployed(&self, id: &RouteId) -> Result<Route, Rejection> {
        let state = self.shared.log.current().await?;
        let route = state.routes.iter().find(|route| route.id == *id).cloned();
        route.ok_or_else(|| Rejection::NotFound(format!("there is no route {id}")))
    }

    /// Every dead-letter queue that has something in it.
    ///
    /// # Errors
    /// When the store or the broker fails.
    pub async fn dead_queues(&self) -> Result<Vec<DeadQueue>, Rejection> {
        self.shared.dead_letters.queues(&self.shared.bundles).await
    }

    /// The oldest messages of a dead-letter queue, which stay in it.
    ///
    /// # Errors
    /// When there is no such queue, or the broker fails.
    pub async fn dead_letters(&self, name: &str, limit: usize) -> Result<Vec<DeadLetter>, Rejection> {
        self.shared.dead_letters.letters(name, limit).await
    }

    /// Puts calls that were given up into the firehose again, some hundreds at a time.
    ///
    /// # Errors
    /// When there is no such queue or message, or the broker takes none of them.
    pub async fn redrive(&self, name: &str, request: &RedriveRequest) -> Result<Redriven, Rejection> {
        self.shared.dead_letters.redrive(name, request).await
    }

    /// Throws away what is in a dead-letter queue, or one message of it.
    ///
    /// # Errors
    /// When there is no such queue or message, or the broker fails.
    pub async fn purge(&self, name: &str, id: Option<&str>) -> Result<Purged, Rejection> {
        self.shared.dead_letters.purge(name, id).await
    }

    /// Everybody who has been heard of lately.
    pub fn members(&self) -> Vec<MemberInfo> {
        self.shared.status.borrow().members.clone()
    }

    /// That Tron is alive, and how far it is.
    pub fn health(&self) -> Health {
        let deployment = self.shared.status.borrow().deployment;
        Health { member: self.shared.member.clone(), deployment }
    }

    /// The newest activations that the query wants, oldest first.
    pub fn activations(&self, query: &Query) -> Vec<Activation> {
        self.shared.activations.find(query)
    }

    /// The newest log lines that the query wants, oldest first.
    pub fn logs(&self, query: &Query) -> Vec<LogEntry> {
        self.shared.activations.logs(query)
    }

    /// The newest activations that the query wants, then every further one.
    pub fn follow(&self, query: Query) -> Follow {
        self.shared.activations.follow(query)
    }

    /// The activations of the newest log lines that the query wants, then every further one.
    pub fn follow_logs(&self, query: Query) -> Follow {
        self.shared.activations.follow_logs(query)
    }

    /// A route as it is listed. What cannot be found out for the moment is left empty.
    async fn describe(&self, route: &Route, trials: &[TrialReport]) -> RouteInfo {
        let (mut queued, mut alarm) = (0, None);
        for bundle in &route.bundles {
            let queue = route.queue(&bundle.sha);
            let depth = self.shared.broker.depth(&queue).await.unwrap_or_default();
            queued += u64::try_from(depth.ready).unwrap_or(u64::MAX);
            alarm = alarm.or_else(|| self.shared.status.borrow().unserved.get(&queue).cloned());
        }
        let info = match route.bundles.first() {
            Some(bundle) => self.shared.bundles.info(&bundle.sha).await.ok(),
            None => None,
        };
        RouteInfo {
            id: route.id.clone(),
            host: route.host.clone(),
            base_path: route.base_path.clone(),
            title: info.as_ref().map(|info| info.title.clone()).unwrap_or_default(),
            bundles: route.bundles.clone(),
            outbound: route.outbound.clone(),
            props: route.props.keys().cloned().collect(),
            queued,
            alarm,
            trials: trials.iter().filter(|trial| trial.route == route.id).cloned().collect(),
            operations: info.map(|info| info.operations.clone()).unwrap_or_default(),
        }
    }
}

fn check_frontends(kind: RecordKind) -> Result<(), Rejection> {
    match kind.is_of_frontends() {
        true => Ok(()),
        false => Err(Rejection::Malformed("this record of a call is for Trons to write".to_owned())),
    }
}
