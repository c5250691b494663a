//! What an operator can have kept of a route's calls. Each of these is a line for the audit.

use std::time::Duration;

use tokio::time::{Instant, interval};
use tracing::field::display;
use tracing::info;
use wire::admin::{CaptureInfo, CaptureRequest};
use wire::broker::{self, capture_queue};
use wire::capture::Capture;
use wire::store::{CaptureRecord, EndReason};
use wire::{CaptureId, Observation, Percent, Route, Timestamp};

use super::Handle;
use crate::Rejection;
use crate::captures::{Captures, Export, Import};

/// Long enough to meet what happens now and then.
const FOR_DEFAULT: Duration = Duration::from_secs(60 * 60);
/// Long enough to look at it tomorrow.
const KEEP_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);
/// Some ten thousand calls.
const BYTES_DEFAULT: u64 = 100 * 1024 * 1024;

/// How long runners need at most to hear of an end, and to hand over what they have.
const SETTLE_MIN: Duration = Duration::from_secs(1);
/// Whoever stops a capture does not wait for longer; what comes later is still kept.
const SETTLE_MAX: Duration = Duration::from_secs(5);
const SETTLE_LOOK: Duration = Duration::from_millis(50);

impl Handle {
    /// Has calls of a route kept. Every runner follows at once.
    ///
    /// # Errors
    /// When there is no such route, what is asked for contradicts itself, or there are too many.
    pub async fn start_capture(&self, request: CaptureRequest, by: &str) -> Result<CaptureInfo, Rejection> {
        let route = self.deployed(&request.route).await?;
        let record = plan(request, route, by)?;
        let captures = &self.shared.captures;
        captures.check_room().await?;
        let capture = &record.capture;
        // What runners are told of is there: nothing of it is lost.
        captures.broker.declare(&capture_queue(&capture.id)).await?;
        captures.store.put_capture(&record).await?;
        let add = |next: &mut Observation| {
            if next.captures.len() >= Observation::CAPTURES_MAX {
                let most = Observation::CAPTURES_MAX;
                return Err(Rejection::Conflict(format!("{most} captures run already; stop one first")));
            }
            next.captures.push(capture.clone());
            Ok(())
        };
        if let Err(refused) = captures.observations.change(add).await {
            captures.store.delete_capture(&capture.id).await?;
            captures.broker.delete(&capture.queue()).await?;
            return Err(refused);
        }
        let Capture { id, route, sample, secrets, .. } = capture;
        info!(by, capture = %id, %route, %sample, secrets, "capture started");
        captures.info(record).await
    }

    /// Every capture that can be read, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn captures(&self) -> Result<Vec<CaptureInfo>, Rejection> {
        self.shared.captures.infos().await
    }

    /// One capture.
    ///
    /// # Errors
    /// When there is no such capture.
    pub async fn capture(&self, id: &CaptureId) -> Result<CaptureInfo, Rejection> {
        let captures = &self.shared.captures;
        captures.info(captures.record(id).await?).await
    }

    /// Ends a capture, and waits a moment until what it has kept is in the store.
    ///
    /// # Errors
    /// When there is no such capture, or it is over.
    pub async fn stop_capture(&self, id: &CaptureId, by: &str) -> Result<CaptureInfo, Rejection> {
        let captures = &self.shared.captures;
        let record = captures.record(id).await?;
        captures.end(id, EndReason::Stopped).await?;
        info!(by, capture = %id, route = %record.capture.route, "capture stopped");
        self.settle(&record.capture.queue()).await;
        captures.info(record).await
    }

    /// Ends a capture, if it runs, and deletes what it has kept, whether that can be read or not.
    ///
    /// # Errors
    /// When there is no such capture.
    pub async fn remove_capture(&self, id: &CaptureId, by: &str) -> Result<(), Rejection> {
        let captures = &self.shared.captures;
        let route = captures.record(id).await.ok().map(|record| display(record.capture.route));
        match captures.end(id, EndReason::Stopped).await {
            Ok(()) | Err(Rejection::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
        if !captures.store.delete_capture(id).await? {
            return Err(Captures::no_such(id));
        }
        info!(by, capture = %id, route, "capture removed");
        Ok(())
    }

    /// A capture as one file.
    ///
    /// # Errors
    /// When there is no such capture.
    pub(crate) async fn export_capture(&self, id: &CaptureId, by: &str) -> Result<Export, Rejection> {
        let captures = &self.shared.captures;
        let record = captures.record(id).await?;
        let route = record.capture.route.clone();
        let export = Export::open(captures, record).await?;
        info!(by, capture = %id, %route, entries = export.entries(), "capture exported");
        Ok(export)
    }

    /// Begins to read a file of captured calls.
    ///
    /// # Errors
    /// When there are too many captures.
    pub(crate) async fn begin_import(&self, by: &str) -> Result<Import<'_>, Rejection> {
        Import::begin(&self.shared.captures, by).await
    }

    /// Waits until what runners had is in the store, as far as can be seen.
    async fn settle(&self, queue: &str) {
        let mut looks = interval(SETTLE_LOOK);
        let begun = Instant::now();
        while begun.elapsed() < SETTLE_MAX {
            looks.tick().await;
            let is_empty = match self.shared.broker.depth(queue).await {
                Ok(depth) => depth.ready == 0 && depth.unsettled.unwrap_or_default() == 0,
                Err(error) => matches!(error, broker::Error::Unroutable(_)),
            };
            if is_empty && begun.elapsed() >= SETTLE_MIN {
                return;
            }
        }
    }
}

/// What is to be kept, if what was asked for makes sense.
fn plan(request: CaptureRequest, route: Route, by: &str) -> Result<CaptureRecord, Rejection> {
    let time = request.for_seconds.map_or(FOR_DEFAULT, Duration::from_secs);
    let keep = request.keep_seconds.map_or(KEEP_DEFAULT.max(time), Duration::from_secs);
    let bytes_max = request.bytes_max.unwrap_or(BYTES_DEFAULT);
    if time > keep || keep > CaptureRequest::KEEP_MAX {
        let hours = CaptureRequest::KEEP_MAX.as_secs() / 3600;
        let reason =
            format!("a capture is kept for at least as long as it runs, and for {hours} hours at most");
        return Err(Rejection::fault("body", "/keep_seconds", reason));
    }
    if bytes_max > Captures::BYTES_MAX {
        let reason = format!("a capture may have {} bytes at most", Captures::BYTES_MAX);
        return Err(Rejection::fault("body", "/bytes_max", reason));
    }
    let from = Timestamp::now();
    let Route { id, namespace, host, base_path, .. } = route;
    let capture = Capture {
        id: CaptureId::generate(),
        namespace,
        route: id,
        sample: request.sample.unwrap_or(Percent::ALL),
        filters: request.filters,
        from,
        until: from.after(time),
        bytes_max,
        delete_at: from.after(keep),
        secrets: request.secrets,
        by: by.to_owned(),
    };
    Ok(CaptureRecord { capture, host, base_path, imported: false })
}
