//! `Inspector`: says of an uploaded bundle whether its code can answer its document.

use swagger::Document;
use wire::bundle::Code;
use wire::{Bundle, Fault};

use crate::artefacts::Artefacts;
use crate::compile::{self, Compiler, Rejection};
use crate::javascript;
use crate::wasm::engine;
use crate::{Config, Error};

/// Inspects bundles, off the event loop and apart from this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Inspector {
    compiler: Compiler,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The bundle is at fault.
    #[error("bundle cannot be a Func")]
    Faults(Vec<Fault>),
    /// We are.
    #[error("inspect the bundle's code")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Inspector {
    /// An inspector that compiles as a runner with this configuration would, and for it.
    ///
    /// # Errors
    /// When the cache directory cannot be made.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let engine = engine::single().map_err(Error::engine)?;
        let artefacts = Artefacts::open(&config.cache_dir, config.shipped_dir.clone(), &engine)
            .map_err(|error| Error::CacheDir(config.cache_dir.clone(), error))?;
        Ok(Self { compiler: Compiler::new(config.compiler.clone(), artefacts) })
    }

    /// Compiles the bundle's code, and asks it for its operations: each of the document's must be
    /// among them. Code that does not say is accepted.
    ///
    /// # Errors
    /// Every fault of the bundle, or that it could not be inspected.
    pub async fn inspect(&self, bundle: &Bundle, document: &Document) -> Result<(), InspectError> {
        let (file, described) = match &bundle.code {
            Code::Wasm(wasm) => ("func.wasm", self.compiler.describe(wasm, None).await),
            Code::JavaScript(source) => {
                ("index.js", self.compiler.describe(javascript::ENGINE, Some(source)).await)
            }
        };
        let operations = described.map_err(|error| failed(file, error))?;
        let Some(operations) = operations else { return Ok(()) };
        let missing =
            document.operations().iter().filter(|wanted| !operations.iter().any(|id| id == wanted.id()));
        let faults: Vec<Fault> = missing
            .map(|operation| fault(file, format!("no function for the operation {}", operation.id())))
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(InspectError::Faults(faults)) }
    }
}

fn failed(file: &str, error: compile::Error) -> InspectError {
    match error {
        compile::Error::Rejected(rejection) => InspectError::Faults(vec![rejected(file, &rejection)]),
        broken => InspectError::Broken(Box::new(broken)),
    }
}

fn rejected(file: &str, rejection: &Rejection) -> Fault {
    fault(rejection.file.as_deref().unwrap_or(file), rejection.to_string())
}

fn fault(file: &str, reason: String) -> Fault {
    Fault::new("bundle", format!("/{file}"), reason)
}
