//! `Stage`: one bundle, called in this process, with no broker, no store and nobody else.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use wire::capture::Drawn;
use wire::{
    Activation, Answer, Body, BundleSha, FuncAssignment, Invoke, Labels, MemberId, Namespace, RouteId, Store,
    StoredBody, Timestamp, store,
};

use crate::Config;
use crate::deployed::Deployed;
use crate::execution::{Ended, Execution};
use crate::loader::Loader;
use crate::observations::View;

/// One bundle, called in this process. What it is held to is what every call of a runner is held to.
#[derive(Clone)]
pub struct Stage {
    deployed: Arc<Deployed>,
    member: MemberId,
    call_timeout: Duration,
    /// One for each call that there is memory for.
    slots: Arc<Semaphore>,
}

/// What a bundle is called with: what a route says of it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The tenant.
    pub namespace: Namespace,
    /// The host of the route, or `*`.
    pub host: String,
    /// The base path that operations are matched below.
    pub base_path: String,
    /// Settings for the Func.
    pub props: Map<String, Value>,
    /// What the Func may call.
    pub outbound: Vec<String>,
}

/// What a call came to.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The answer, its body whole.
    pub answer: Answer,
    /// The record.
    pub activation: Activation,
    /// What the Func drew from outside; nothing if it was not begun.
    pub drawn: Drawn,
}

/// The bundle cannot be called.
#[derive(Debug, thiserror::Error)]
#[error("stage the bundle")]
pub struct NotStaged(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Stage {
    /// Loads a bundle.
    ///
    /// # Errors
    /// When the sandbox cannot be set up, or the bundle cannot be served.
    pub async fn open(config: &Config, zip: Bytes, settings: Settings) -> Result<Self, NotStaged> {
        let store = Store::memory();
        let sha = store.put_bundle(zip).await.map_err(not_staged)?;
        let loader = Loader::new(config, store).map_err(not_staged)?;
        let deployed = loader.load(&assignment(sha, settings)).await.map_err(not_staged)?;
        Ok(Self {
            deployed: Arc::new(deployed),
            member: config.member.clone(),
            call_timeout: config.call_timeout,
            slots: Arc::new(Semaphore::new(config.threads.saturating_mul(config.slots))),
        })
    }

    /// The bundle that is called.
    pub fn sha(&self) -> &BundleSha {
        &self.deployed.sha
    }

    /// The document that it answers.
    pub fn document(&self) -> &swagger::Document {
        &self.deployed.document
    }

    /// Runs one call, as soon as there is room for it. It has as long as a call may take, whatever its deadline
    /// was. A replay is played back; what any other call draws from outside is real. Either is noted.
    pub async fn run(&self, mut invoke: Invoke) -> Staged {
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        // Of this call alone: whatever it keeps goes with it.
        let store = Store::memory();
        // A Func does the same with a body that has come by way of a store, but for its limits.
        if let Body::Inline(bytes) = &invoke.body
            && bytes.len() > Body::INLINE_BYTES_MAX
            && let Ok(stored) = keep(&store, bytes).await
        {
            invoke.body = Body::Stored(stored);
        }
        invoke.deadline = Timestamp::now().after(self.call_timeout);
        let execution = Execution {
            deployed: Arc::new(self.deployed.over(store.clone())),
            invoke,
            member: self.member.clone(),
            call_timeout: self.call_timeout,
            view: View::default(),
            recorded: true,
            trace: None,
        };
        let Ended { mut answer, mut record, drawn, .. } = execution.run().await;
        if let Body::Stored(stored) = &answer.body
            && let Ok(bytes) = read(&store, stored).await
        {
            answer.body = Body::Inline(bytes);
        }
        // It has waited in no queue, however long ago it was accepted.
        record.queued_ms = 0;
        Staged { answer, activation: record, drawn: drawn.map(|drawn| *drawn).unwrap_or_default() }
    }
}

fn assignment(sha: BundleSha, settings: Settings) -> FuncAssignment {
    let Settings { namespace, host, base_path, props, outbound } = settings;
    FuncAssignment {
        queue: "stage".to_owned(),
        route: RouteId::of(&namespace, &host, &base_path),
        namespace,
        base_path,
        sha,
        props,
        outbound,
        placement: Labels::default(),
        on: None,
        draining: false,
        mirrors: Vec::new(),
    }
}

async fn keep(store: &Store, bytes: &[u8]) -> Result<StoredBody, store::Error> {
    let mut upload = store.upload();
    upload.push(bytes).await?;
    upload.finish().await
}

async fn read(store: &Store, stored: &StoredBody) -> Result<Bytes, store::Error> {
    let pieces = store.body(stored).await?;
    let whole = pieces.try_fold(BytesMut::new(), |mut whole, piece| {
        whole.extend_from_slice(&piece);
        std::future::ready(Ok(whole))
    });
    Ok(whole.await?.freeze())
}

fn not_staged(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> NotStaged {
    NotStaged(error.into())
}
