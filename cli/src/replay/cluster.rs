//! `Cluster`: a route whose runners answer captured calls again, through the broker and to nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use compare::Noise;
use swagger::{BasePath, Document};
use wire::BundleSha;
use wire::admin::{CallRequest, Called, RouteInfo};
use wire::capture::CaptureEntry;

use super::local::{self, Scene};
use super::outcome::Judged;
use super::target::{Played, document};
use crate::server::Server;

/// Longer than the server waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A route whose runners answer.
pub(crate) struct Cluster {
    server: Arc<Server>,
    route: RouteInfo,
    /// The one that answers, whatever the route would choose.
    bundle: Option<BundleSha>,
    /// Where the route was when the calls were captured.
    base_path: BasePath,
    outside: bool,
    documents: Mutex<HashMap<BundleSha, Arc<Document>>>,
}

impl Cluster {
    pub(crate) fn new(server: Server, route: RouteInfo, bundle: Option<BundleSha>, scene: &Scene) -> Self {
        Self {
            server: Arc::new(server),
            route,
            bundle,
            base_path: scene.base_path.clone(),
            outside: scene.outside,
            documents: Mutex::default(),
        }
    }

    pub(crate) async fn play(&self, entry: &CaptureEntry) -> Result<Played> {
        let (server, request) = (Arc::clone(&self.server), self.request(entry)?);
        let path = format!("/routes/{}/calls", self.route.id);
        let called = move || server.post_within(TIMEOUT, &path, &request);
        let called: Called = tokio::task::spawn_blocking(called).await??;
        Ok(Played { answer: called.answer, ran: None })
    }

    fn request(&self, entry: &CaptureEntry) -> Result<CallRequest> {
        let invoke = entry.invoke.clone();
        let Some(below) = self.base_path.strip(&invoke.path) else {
            bail!("{} is not below the base path of the capture", invoke.path);
        };
        Ok(CallRequest {
            path: format!("{}{below}", self.route.base_path.trim_end_matches('/')),
            method: invoke.method,
            query: invoke.query,
            headers: invoke.headers,
            body: invoke.body,
            bundle: self.bundle.clone(),
            replay: Some(Box::new(local::replay(entry, self.outside))),
            redacted: Vec::new(),
            id: Some(invoke.id),
            at: Some(invoke.at),
            scheme: Some(invoke.scheme),
            host: Some(invoke.host),
            client: invoke.client,
        })
    }

    pub(crate) fn judge(&self, entry: &CaptureEntry, played: &Played, noise: &Noise) -> Result<Judged> {
        let sha = played.answer.bundle.as_ref().unwrap_or(&entry.activation.bundle);
        Ok(Judged::of(&*self.document(sha)?, &self.base_path, entry, &played.answer, noise))
    }

    pub(crate) fn redact(&self, entry: &mut CaptureEntry) -> Result<()> {
        let document = self.document(entry.answer.bundle.as_ref().unwrap_or(&entry.activation.bundle))?;
        runner::redact(entry, &document, &self.base_path);
        Ok(())
    }

    /// The document of a bundle, fetched once.
    fn document(&self, sha: &BundleSha) -> Result<Arc<Document>> {
        let known = self.documents.lock().unwrap_or_else(PoisonError::into_inner).get(sha).cloned();
        if let Some(document) = known {
            return Ok(document);
        }
        let document = tokio::task::block_in_place(|| document(&self.server, sha))?;
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(documents.entry(sha.clone()).or_insert_with(|| Arc::new(document))))
    }
}
