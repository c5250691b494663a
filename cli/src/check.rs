//! What Tron checks at upload, checked here: the bundle, its document, its code.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use runner::{InspectError, Inspector};
use swagger::Document;
use wire::{Bundle, Fault, MemberId, Role};

use crate::trouble::Faulty;

/// Reads a document.
///
/// # Errors
/// [`Faulty`] with every mistake found.
pub(crate) fn document(bytes: &[u8]) -> Result<Document, Faulty> {
    let document = Document::parse(bytes)
        .map_err(|invalid| Faulty { faults: invalid.faults.into_iter().map(fault).collect() })?;
    tron::placement(&document).map_err(|fault| Faulty { faults: vec![fault] })?;
    Ok(document)
}

/// Opens a bundle and checks everything about it but where it will be served.
///
/// # Errors
/// [`Faulty`] with every mistake found.
pub(crate) fn bundle(zip: &[u8]) -> Result<(Bundle, Document)> {
    let bundle = Bundle::open(zip)?;
    let document = document(&bundle.document)?;
    code(&bundle, &document)?;
    Ok((bundle, document))
}

/// The check of a bundle's code, as Tron wants to have it.
pub(crate) fn inspect(inspector: Inspector) -> tron::Inspect {
    Arc::new(move |tron::Opened { bundle, document }| {
        let inspector = inspector.clone();
        Box::pin(async move { inspector.inspect(&bundle, &document).await.map_err(faults) })
    })
}

/// How this program's runner is set up: it compiles by starting the program once more.
///
/// # Errors
/// When this program cannot be found.
pub(crate) fn runner_config(cache_dir: PathBuf) -> Result<runner::Config> {
    let compiler = std::env::current_exe().context("find this program")?;
    Ok(runner::Config::new(MemberId::generate(Role::Runner), cache_dir, compiler))
}

/// The user's directory for what can be made again, if there is one that can be written: every run of this
/// program finds there what another compiled.
pub(crate) fn cache_dir() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let cache = cache.or_else(|| std::env::home_dir().map(|home| home.join(".cache")))?.join("funcatron");
    std::fs::create_dir_all(&cache).ok()?;
    tempfile::tempfile_in(&cache).is_ok().then_some(cache)
}

/// Compiles the code and asks it which operations it has.
fn code(bundle: &Bundle, document: &Document) -> Result<()> {
    let otherwise = tempfile::tempdir().context("make a directory for compiled code")?;
    let cache_dir = cache_dir().unwrap_or_else(|| otherwise.path().to_owned());
    let inspector = Inspector::new(&runner_config(cache_dir)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(inspector.inspect(bundle, document)) {
        Ok(()) => Ok(()),
        Err(InspectError::Faults(faults)) => Err(Faulty { faults }.into()),
        Err(broken) => Err(broken.into()),
    }
}

fn faults(error: InspectError) -> Vec<Fault> {
    match error {
        InspectError::Faults(faults) => faults,
        broken @ InspectError::Broken(_) => {
            let reason = format!("{:#}", anyhow::Error::new(broken));
            vec![Fault::new("bundle", "", reason)]
        }
    }
}

fn fault(fault: swagger::Fault) -> Fault {
    Fault::new(fault.location, fault.pointer, fault.reason)
}
