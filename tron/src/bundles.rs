//! `Bundles`: what was uploaded: checked on the way in, trusted afterwards.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use swagger::Document;
use tokio::sync::Semaphore;
use tracing::warn;
use wire::admin::{BundleInfo, OperationInfo};
use wire::bundle::{self, Code};
use wire::{BadLabels, Bundle, BundleSha, Chain, Fault, Labels, Store, store};

use crate::Rejection;

/// The runner's check of a bundle's code, handed in by the binary: Tron does not know how code runs.
/// It gets the bundle with its document, which is read once and beside the traffic.
pub type Inspect = Arc<dyn Fn(Opened) -> BoxFuture<'static, Result<(), Vec<Fault>>> + Send + Sync>;

/// A bundle and its document.
#[derive(Debug)]
pub struct Opened {
    /// The bundle.
    pub bundle: Bundle,
    /// What its document says.
    pub document: Document,
}

/// Bundles that are opened at a time: each may hold a core and hundreds of megabytes for a while.
const OPENED_MAX: usize = 2;

/// Descriptions kept in memory, a few kilobytes each: more than a person deploys.
const DESCRIBED_MAX: usize = 1_024;

/// What is wrong with a bundle whose document has faults.
const NOT_SERVED: &str = "the bundle's OpenAPI document cannot be served";

/// What came of an upload.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// The bundle.
    pub bundle: Arc<BundleInfo>,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// The bundles in the store.
pub(crate) struct Bundles {
    store: Store,
    inspect: Inspect,
    bytes_max: u64,
    opening: Semaphore,
    described: Mutex<Described>,
}

/// Descriptions of bundles, the oldest of which go first.
#[derive(Default)]
struct Described {
    infos: HashMap<BundleSha, Arc<BundleInfo>>,
    order: VecDeque<BundleSha>,
}

impl Bundles {
    pub(crate) fn new(store: Store, inspect: Inspect, bytes_max: u64) -> Self {
        Self { store, inspect, bytes_max, opening: Semaphore::new(OPENED_MAX), described: Mutex::default() }
    }

    /// Keeps a bundle, if there is nothing wrong with it.
    pub(crate) async fn upload(&self, zip: Bytes) -> Result<Uploaded, Rejection> {
        if u64::try_from(zip.len()).map_or(true, |len| len > self.bytes_max) {
            return Err(Rejection::TooLarge { what: "the bundle".to_owned(), max: self.bytes_max });
        }
        let (opened, info) = self.open(zip.clone()).await?;
        if self.is_kept(&info.sha).await? {
            return Ok(Uploaded { bundle: self.remember(info), is_new: false });
        }
        (self.inspect)(opened).await.map_err(|faults| Rejection::Unusable {
            detail: "the code of the bundle cannot be used".to_owned(),
            faults,
        })?;
        self.store.put_bundle(zip).await?;
        Ok(Uploaded { bundle: self.remember(info), is_new: true })
    }

    /// Whether the store has the bundle, and whole: one that is damaged is there to be replaced.
    async fn is_kept(&self, sha: &BundleSha) -> Result<bool, store::Error> {
        match self.store.bundle(sha).await {
            Err(store::Error::Damaged(_)) => Ok(false),
            kept => Ok(kept?.is_some()),
        }
    }

    /// The description of a bundle, if it is at hand.
    pub(crate) fn known(&self, sha: &BundleSha) -> Option<Arc<BundleInfo>> {
        self.described(|described| described.infos.get(sha).cloned())
    }

    /// The description of a bundle.
    pub(crate) async fn info(&self, sha: &BundleSha) -> Result<Arc<BundleInfo>, Rejection> {
        if let Some(info) = self.known(sha) {
            return Ok(info);
        }
        let zip = self.content(sha).await?;
        let (_, info) = self.open(zip).await?;
        Ok(self.remember(info))
    }

    /// Every bundle that can be read.
    pub(crate) async fn all(&self) -> Result<Vec<Arc<BundleInfo>>, Rejection> {
        let mut infos = Vec::new();
        for (sha, _) in self.store.bundles().await? {
            match self.info(&sha).await {
                Ok(info) => infos.push(info),
                Err(error) => warn!(%sha, error = %Chain(&error), "bundle cannot be read"),
            }
        }
        infos.sort_by(|a, b| (&a.title, &a.version, &a.sha).cmp(&(&b.title, &b.version, &b.sha)));
        Ok(infos)
    }

    /// The titles of those of these bundles that can be read.
    pub(crate) async fn titles(&self, shas: impl Iterator<Item = &BundleSha>) -> BTreeMap<BundleSha, String> {
        let mut titles = BTreeMap::new();
        for sha in shas {
            match self.info(sha).await {
                Ok(info) => _ = titles.insert(sha.clone(), info.title.clone()),
                Err(error) => warn!(%sha, error = %Chain(&error), "bundle cannot be read"),
            }
        }
        titles
    }

    /// The bytes of a bundle.
    pub(crate) async fn content(&self, sha: &BundleSha) -> Result<Bytes, Rejection> {
        let zip = self.store.bundle(sha).await?;
        zip.ok_or_else(|| Rejection::NotFound(format!("there is no bundle {sha}")))
    }

    /// The document of a bundle.
    pub(crate) async fn document(&self, sha: &BundleSha) -> Result<Document, Rejection> {
        let (opened, _) = self.open(self.content(sha).await?).await?;
        Ok(opened.document)
    }

    /// Removes a bundle.
    pub(crate) async fn delete(&self, sha: &BundleSha) -> Result<(), Rejection> {
        match self.content(sha).await {
            Ok(_) | Err(Rejection::Store(store::Error::Damaged(_))) => {}
            Err(rejection) => return Err(rejection),
        }
        self.store.delete_bundle(sha).await?;
        self.described(|described| described.infos.remove(sha));
        Ok(())
    }

    /// Opens a bundle beside the traffic: large documents take seconds.
    async fn open(&self, zip: Bytes) -> Result<(Opened, BundleInfo), Rejection> {
        // The semaphore is never closed; without a permit there would only be less of a bound.
        let _permit = self.opening.acquire().await;
        tokio::task::spawn_blocking(move || open(&zip)).await?
    }

    fn remember(&self, info: BundleInfo) -> Arc<BundleInfo> {
        let info = Arc::new(info);
        self.described(|described| described.insert(Arc::clone(&info)));
        info
    }

    fn described<T>(&self, act: impl FnOnce(&mut Described) -> T) -> T {
        act(&mut self.described.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Described {
    fn insert(&mut self, info: Arc<BundleInfo>) {
        let sha = info.sha.clone();
        if self.infos.insert(sha.clone(), info).is_none() {
            self.order.push_back(sha);
        }
        while self.order.len() > DESCRIBED_MAX {
            let oldest = self.order.pop_front();
            oldest.and_then(|sha| self.infos.remove(&sha));
        }
    }
}

fn open(zip: &[u8]) -> Result<(Opened, BundleInfo), Rejection> {
    let bundle = Bundle::open(zip).map_err(refuse_bundle)?;
    let document = Document::parse(&bundle.document).map_err(refuse_document)?;
    let placement = placement(&document)
        .map_err(|fault| Rejection::Unusable { detail: NOT_SERVED.to_owned(), faults: vec![fault] })?;
    let info = describe(&bundle, &document, placement, zip.len());
    Ok((Opened { bundle, document }, info))
}

fn refuse_bundle(error: bundle::Error) -> Rejection {
    match error {
        bundle::Error::NotZip(_) => Rejection::Malformed(error.to_string()),
        bundle::Error::TooLarge { what, max } => Rejection::TooLarge { what, max },
        error => Rejection::fault("bundle", "", error.to_string()),
    }
}

fn refuse_document(invalid: swagger::Invalid) -> Rejection {
    let faults = invalid.faults.into_iter().map(fault).collect();
    Rejection::Unusable { detail: NOT_SERVED.to_owned(), faults }
}

/// What a document asks of the runners that run its code.
///
/// # Errors
/// With where in the document something else than labels stands.
pub fn placement(document: &Document) -> Result<Labels, Fault> {
    const POINTER: &str = "/x-funcatron-placement";
    let at = |pointer: String, bad: BadLabels| Fault::new("document", pointer, bad.to_string());
    for (name, value) in document.placement() {
        let pointer = || format!("{POINTER}/{}", name.replace('~', "~0").replace('/', "~1"));
        Labels::new([(name.clone(), value.clone())]).map_err(|bad| at(pointer(), bad))?;
    }
    Labels::new(document.placement().clone()).map_err(|bad| at(POINTER.to_owned(), bad))
}

/// A fault that `swagger` found, as clients are told of it.
pub(crate) fn fault(fault: swagger::Fault) -> Fault {
    Fault::new(fault.location, fault.pointer, fault.reason)
}

fn describe(bundle: &Bundle, document: &Document, placement: Labels, size: usize) -> BundleInfo {
    let code = match &bundle.code {
        Code::Wasm(_) => "wasm",
        Code::JavaScript(_) => "js",
    };
    let operations = document.operations().iter().map(|operation| OperationInfo {
        id: operation.id().to_owned(),
        method: operation.method().to_owned(),
        path: operation.path().to_owned(),
    });
    BundleInfo {
        sha: bundle.sha.clone(),
        size: u64::try_from(size).unwrap_or(u64::MAX),
        title: document.title().to_owned(),
        version: document.version().to_owned(),
        host: document.host().to_string(),
        base_path: document.base_path().to_string(),
        code: code.to_owned(),
        placement,
        operations: operations.collect(),
    }
}
