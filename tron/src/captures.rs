//! `Captures`: calls that operators want to keep. They come from the broker into the store, and out of it as one file.

mod abandoned;
mod export;
mod import;
mod intake;
mod missed;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, future, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::admin::{CaptureInfo, CaptureRequest, CaptureState};
use wire::capture::Capture;
use wire::store::{CaptureEnd, CaptureRecord, EndReason};
use wire::{Broker, CaptureId, Chain, Heartbeat, Observation, Store, Timestamp, store};

use crate::Rejection;
use crate::observations::Observations;
use abandoned::Abandoned;
use intake::Intake;
use missed::Missed;

pub(crate) use export::Export;
pub(crate) use import::Import;

/// Captures that are looked at at a time for a listing.
const LOOKS_MAX: usize = 16;

/// How often captures are deleted whose time is over.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// What was begun and never ended, such as an import by a Tron that died, is deleted after this time.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

/// Exports and imports at a time: each holds calls with their bodies, and an index of all calls.
const TRANSFERS_MAX: usize = 2;

/// What is kept of calls.
pub(crate) struct Captures {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) store: Store,
    pub(crate) observations: Arc<Observations>,
    /// How long after its end a capture is still taken in: calls that had begun, and what waits in its queue.
    linger: Duration,
    sweep_interval: Duration,
    missed: Missed,
    abandoned: Abandoned,
    transfers: Arc<Semaphore>,
}

impl Captures {
    /// The most that one may have, bodies that lie elsewhere left out.
    pub(crate) const BYTES_MAX: u64 = CaptureRequest::BYTES_MAX;
    /// Captures in the store, imported ones among them: more than people look at.
    const KEPT_MAX: usize = 256;

    pub(crate) fn new(
        broker: Arc<dyn Broker>,
        store: Store,
        observations: Arc<Observations>,
        linger: Duration,
        sweep_interval: Duration,
    ) -> Self {
        Self {
            broker,
            store,
            observations,
            linger,
            sweep_interval: sweep_interval.min(SWEEP_INTERVAL),
            missed: Missed::default(),
            abandoned: Abandoned::default(),
            transfers: Arc::new(Semaphore::new(TRANSFERS_MAX)),
        }
    }

    /// Takes in what is captured, and what was when Tron stopped, until shutdown.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut head = self.observations.watch();
        let mut sweeps = wire::ticks(self.sweep_interval);
        let (mut open, mut intakes) = (HashSet::new(), JoinSet::new());
        let (mut due, mut is_left_over_known) = (Vec::new(), false);
        loop {
            if !is_left_over_known && let Some(found) = stop.run_until_cancelled(self.left_over()).await {
                match found {
                    Ok(left_over) => {
                        due.extend(left_over);
                        is_left_over_known = true;
                    }
                    Err(error) => {
                        warn!(error = %Chain(&error), "earlier captures cannot be read; trying again later");
                    }
                }
            }
            let now = Timestamp::now();
            let observed = Arc::clone(&head.borrow_and_update().observation);
            due.extend(observed.captures.iter().filter(|capture| capture.until > now).cloned());
            for capture in due.drain(..) {
                if open.insert(capture.id.clone()) {
                    let intake = Intake::new(Arc::clone(&self), capture);
                    intakes.spawn(intake.run(stop.clone()));
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                // The sender is as long there as we are.
                Ok(()) = head.changed() => {}
                Some(Ok(ended)) = intakes.join_next() => {
                    open.remove(&ended);
                }
                () = self.abandoned.come() => self.delete_abandoned().await,
                _ = sweeps.tick() => self.sweep().await,
            }
        }
        while intakes.join_next().await.is_some() {}
    }

    /// What captures there are, of which something may wait in a queue.
    async fn left_over(&self) -> Result<impl Iterator<Item = Capture>, store::Error> {
        // Who asks whether one is over is to know what is observed.
        self.observations.current().await?;
        let ours = self.records().await?.into_iter().filter(|record| !record.imported);
        Ok(ours.map(|record| record.capture))
    }

    /// Takes note of what a runner had no room for.
    pub(crate) fn hear(&self, heartbeat: &Heartbeat) {
        self.missed.hear(heartbeat);
    }

    /// Notes in the store what was missed.
    async fn note_missed(&self, id: &CaptureId) -> Result<(), store::Error> {
        if let Some(counts) = self.missed.due(id) {
            self.store.note_missed(id, &counts).await?;
            self.missed.note(id, counts);
        }
        Ok(())
    }

    /// The same of captures that are over: a call that ran on for long after is missed late.
    async fn note_missed_late(&self) -> Result<(), store::Error> {
        for id in self.missed.ids() {
            match readable(&id, self.store.capture(&id).await)? {
                Some(_) => self.note_missed(&id).await?,
                None => self.missed.forget(&id),
            }
        }
        Ok(())
    }

    /// A place among the exports and imports.
    async fn transfer(&self) -> Option<OwnedSemaphorePermit> {
        // There is always one some time: nobody closes it.
        Arc::clone(&self.transfers).acquire_owned().await.ok()
    }

    /// Ends a capture that runs.
    pub(crate) async fn end(&self, id: &CaptureId, reason: EndReason) -> Result<(), Rejection> {
        let remove = |next: &mut Observation| {
            let before = next.captures.len();
            next.captures.retain(|capture| capture.id != *id);
            match next.captures.len() < before {
                true => Ok(()),
                false => Err(Rejection::Conflict(format!("capture {id} is over already"))),
            }
        };
        self.observations.change(remove).await?;
        Ok(self.store.end_capture(id, CaptureEnd { at: Timestamp::now(), reason }).await?)
    }

    /// What was asked for.
    pub(crate) async fn record(&self, id: &CaptureId) -> Result<CaptureRecord, Rejection> {
        let record = self.store.capture(id).await?;
        record.ok_or_else(|| Self::no_such(id))
    }

    pub(crate) fn no_such(id: &CaptureId) -> Rejection {
        Rejection::NotFound(format!("there is no capture {id}"))
    }

    /// Refuses one more than there may be.
    pub(crate) async fn check_room(&self) -> Result<(), Rejection> {
        let most = Self::KEPT_MAX;
        match self.records().await?.len() < most {
            true => Ok(()),
            false => Err(Rejection::Conflict(format!("there are {most} captures; remove some first"))),
        }
    }

    /// Every capture that can be read, the newest first.
    pub(crate) async fn infos(&self) -> Result<Vec<CaptureInfo>, Rejection> {
        let mut records = self.records().await?;
        records.sort_by(|a, b| b.capture.id.cmp(&a.capture.id));
        let info = async |record: CaptureRecord| {
            let id = record.capture.id.clone();
            readable(&id, self.look(record).await.map(Some))
        };
        let infos = stream::iter(records).map(info).buffered(LOOKS_MAX);
        Ok(infos.try_filter_map(|info| future::ready(Ok(info))).try_collect().await?)
    }

    /// Those that can be read.
    async fn records(&self) -> Result<Vec<CaptureRecord>, store::Error> {
        let ids = self.store.captures().await?;
        let read = stream::iter(ids)
            .map(|id| async move { readable(&id, self.store.capture(&id).await) })
            .buffered(LOOKS_MAX);
        read.try_filter_map(|record| future::ready(Ok(record))).try_collect().await
    }

    /// How far a capture is.
    pub(crate) async fn info(&self, record: CaptureRecord) -> Result<CaptureInfo, Rejection> {
        Ok(self.look(record).await?)
    }

    async fn look(&self, record: CaptureRecord) -> Result<CaptureInfo, store::Error> {
        let id = &record.capture.id;
        let chunks = self.store.chunks(id).await?;
        let missed = self.store.capture_missed(id).await?;
        Ok(CaptureInfo {
            state: self.state(&record).await?,
            entries: chunks.iter().map(|chunk| chunk.entries).sum(),
            bytes: chunks.iter().map(|chunk| chunk.bytes).sum(),
            missed: missed.values().sum(),
            host: record.host,
            base_path: record.base_path,
            capture: record.capture,
        })
    }

    async fn state(&self, record: &CaptureRecord) -> Result<CaptureState, store::Error> {
        let id = &record.capture.id;
        if record.imported {
            return Ok(CaptureState::Imported);
        }
        if self.observations.current().await?.captures.iter().any(|capture| capture.id == *id) {
            return Ok(CaptureState::Running);
        }
        Ok(match self.store.capture_end(id).await? {
            Some(CaptureEnd { reason: EndReason::Full, .. }) => CaptureState::Full,
            None if record.capture.until <= Timestamp::now() => CaptureState::Expired,
            // Whoever stopped it may not have lived to write it down.
            Some(_) | None => CaptureState::Stopped,
        })
    }

    /// Deletes what was to be kept until now. Several Trons may do it at once: deleting what is gone is no error.
    async fn sweep(&self) {
        if let Err(error) = self.note_missed_late().await {
            warn!(error = %Chain(&error), "what captures missed is not noted; trying again later");
        }
        if let Err(error) = self.delete_old().await {
            warn!(error = %Chain(&error), "old captures not deleted; trying again later");
        }
    }

    async fn delete_old(&self) -> Result<(), store::Error> {
        let now = Timestamp::now();
        for id in self.store.captures().await? {
            let age_max = match self.store.capture(&id).await {
                Ok(Some(record)) => {
                    if record.capture.delete_at <= now && self.store.delete_capture(&id).await? {
                        info!(capture = %id, route = %record.capture.route, "old capture deleted");
                    }
                    continue;
                }
                Ok(None) => ABANDONED_AFTER,
                // Nobody can say when it was to go.
                Err(store::Error::BadObject { .. }) => CaptureRequest::KEEP_MAX,
                Err(error) => return Err(error),
            };
            self.store.delete_abandoned_capture(&id, now.before(age_max)).await?;
        }
        Ok(())
    }

    /// Deletes what imports have written that came to nothing.
    async fn delete_abandoned(&self) {
        for id in self.abandoned.take() {
            if let Err(error) = self.store.delete_capture(&id).await {
                warn!(capture = %id, error = %Chain(&error), "import not deleted; it goes when it is old");
            }
        }
    }
}

/// What was read of a capture. One that cannot be read raises the alarm and is passed over: it is not to stand in the
/// way of the others.
fn readable<T>(id: &CaptureId, read: Result<Option<T>, store::Error>) -> Result<Option<T>, store::Error> {
    match read {
        Err(error @ store::Error::BadObject { .. }) => {
            warn!(capture = %id, error = %Chain(&error), "capture cannot be read");
            Ok(None)
        }
        read => read,
    }
}
