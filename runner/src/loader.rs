//! `Loader`: turns an assignment into a [`Deployed`] bundle.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};
use std::time::Instant;

use bytes::Bytes;
use swagger::{BadBasePath, BasePath, Document, Invalid};
use tokio::sync::OnceCell;
use tokio::task::JoinError;
use wire::bundle::{self, Code};
use wire::egress::{AllowList, BadEntry, Tls};
use wire::{Bundle, BundleSha, FuncAssignment, Store, store};

use crate::artefacts::Artefacts;
use crate::bodies::Bodies;
use crate::compile::{self, Compiler};
use crate::deployed::Deployed;
use crate::egress::Reach;
use crate::javascript;
use crate::tallies::Tallies;
use crate::wasm::{Environment, Func, Limits, Program, Sandbox, Unfit, engine};
use crate::{Config, Error, Metrics};

/// Loads bundles from the store.
pub(crate) struct Loader {
    sandbox: Sandbox,
    compiler: Compiler,
    store: Store,
    bodies: Bodies,
    limits: Limits,
    tls: Tls,
    outbound_requests_max: u32,
    dev: bool,
    tallies: Arc<Tallies>,
    metrics: Metrics,
    /// The JavaScript engine, which all JavaScript bundles share.
    javascript: OnceCell<Program>,
}

/// Why a bundle cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("fetch bundle {0}")]
    Store(BundleSha, #[source] store::Error),
    #[error("bundle {0} is not in the store")]
    Absent(BundleSha),
    #[error("open bundle {0}")]
    Bundle(BundleSha, #[source] bundle::Error),
    #[error("read the document of bundle {0}")]
    Document(BundleSha, #[source] Invalid),
    #[error("load the code of bundle {0}")]
    Code(BundleSha, #[source] compile::Error),
    #[error("link the code of bundle {0}")]
    Unfit(BundleSha, #[source] Unfit),
    #[error("open a bundle beside the calls")]
    Task(#[from] JoinError),
    #[error(transparent)]
    BasePath(#[from] BadBasePath),
    #[error("read outbound")]
    Outbound(#[from] BadEntry),
}

impl Loader {
    pub(crate) fn new(config: &Config, store: Store) -> Result<Self, Error> {
        let slots = config.threads.saturating_mul(config.slots);
        let engine = engine::pooled(slots, config.memory_max).map_err(Error::engine)?;
        let artefacts = Artefacts::open(&config.cache_dir, config.shipped_dir.clone(), &engine)
            .map_err(|error| Error::CacheDir(config.cache_dir.clone(), error))?;
        Ok(Self {
            sandbox: Sandbox::new(engine).map_err(Error::engine)?,
            compiler: Compiler::new(config.compiler.clone(), artefacts),
            bodies: Bodies::new(config, store.clone()),
            store,
            limits: Limits::from(config),
            tls: Tls::new()?,
            outbound_requests_max: config.outbound_requests_max,
            dev: config.dev,
            tallies: config.metrics.tallies(),
            metrics: config.metrics.clone(),
            javascript: OnceCell::new(),
        })
    }

    /// Fetches, checks and links what the assignment asks for, and counts that.
    pub(crate) async fn load(&self, assignment: &FuncAssignment) -> Result<Deployed, LoadError> {
        let began = Instant::now();
        let loaded = self.deployed(assignment).await;
        self.metrics.load(assignment, began.elapsed(), loaded.is_ok());
        loaded
    }

    async fn deployed(&self, assignment: &FuncAssignment) -> Result<Deployed, LoadError> {
        let sha = &assignment.sha;
        let base_path = BasePath::parse(&assignment.base_path)?;
        let allowed = Arc::new(AllowList::parse(&assignment.outbound)?);
        let zip = self.store.bundle(sha).await.map_err(|error| LoadError::Store(sha.clone(), error))?;
        let zip = zip.ok_or_else(|| LoadError::Absent(sha.clone()))?;
        let (bundle, document) = open(sha.clone(), zip).await?;
        let program = self.program(&bundle).await?;
        let reach = Reach { allowed, tls: self.tls.clone(), requests_max: self.outbound_requests_max };
        let environment = Environment::new(&assignment.props, self.variables(&bundle.code));
        Ok(Deployed {
            queue: assignment.queue.clone(),
            route: assignment.route.clone(),
            sha: sha.clone(),
            base_path,
            document: Arc::new(document),
            func: Func { program, environment, reach, limits: self.limits },
            bodies: self.bodies.clone(),
            tally: self.tallies.of(&assignment.queue),
            draining: AtomicBool::new(assignment.draining),
            mirrors: RwLock::new(assignment.mirrors.clone()),
        })
    }

    async fn program(&self, bundle: &Bundle) -> Result<Program, LoadError> {
        match &bundle.code {
            Code::Wasm(wasm) => self.link(&bundle.sha, wasm).await,
            Code::JavaScript(_) => {
                let linked = self.javascript.get_or_try_init(|| self.link(&bundle.sha, javascript::ENGINE));
                linked.await.cloned()
            }
        }
    }

    async fn link(&self, sha: &BundleSha, wasm: &[u8]) -> Result<Program, LoadError> {
        let component = self.compiler.component(self.sandbox.engine(), wasm).await;
        let component = component.map_err(|error| LoadError::Code(sha.clone(), error))?;
        self.sandbox.link(&component).map_err(|unfit| LoadError::Unfit(sha.clone(), unfit))
    }

    fn variables(&self, code: &Code) -> Vec<(String, String)> {
        let mut variables = match code {
            Code::Wasm(_) => Vec::new(),
            Code::JavaScript(source) => javascript::variables(source),
        };
        if self.dev {
            variables.push(("FUNCATRON_ERRORS".to_owned(), "detail".to_owned()));
        }
        variables
    }
}

/// Opens a bundle off the event loop: large documents take seconds.
async fn open(sha: BundleSha, zip: Bytes) -> Result<(Bundle, Document), LoadError> {
    let opened = tokio::task::spawn_blocking(move || {
        let bundle = Bundle::open(&zip).map_err(|error| LoadError::Bundle(sha.clone(), error))?;
        let document =
            Document::parse(&bundle.document).map_err(|invalid| LoadError::Document(sha, invalid))?;
        Ok((bundle, document))
    });
    opened.await?
}
