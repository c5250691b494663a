//! `Compiler`: the parent's side. It keeps artefacts, and has a child make those that are missing.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::order::{Order, Rejection, Report};
use crate::artefacts::{self, Artefacts};

/// How long a child may take, whatever it does; its processor time it limits itself.
const CHILD_TIMEOUT: Duration = Duration::from_secs(60);
/// The argument that makes the program a compiler.
const SUBCOMMAND: &str = "compile";

/// Compiles components and asks them what they are.
#[derive(Clone, Debug)]
pub(crate) struct Compiler {
    program: PathBuf,
    artefacts: Artefacts,
}

/// Why there is no artefact or description.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The code is at fault.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The child could not be run or talked to.
    #[error("run the compiler {0}")]
    Child(PathBuf, #[source] io::Error),
    /// The child ended without a report.
    #[error("the compiler ended with {0}: {1}")]
    Broken(ExitStatus, String),
    /// The child wrote what is not a report.
    #[error("the compiler's report cannot be read")]
    Garbled,
    /// An artefact cannot be written.
    #[error("keep the artefact {0}")]
    Artefact(PathBuf, #[source] io::Error),
    /// An artefact that was just written cannot be loaded.
    #[error("the artefact {0} cannot be loaded")]
    Unloadable(PathBuf),
}

impl Compiler {
    pub(crate) fn new(program: PathBuf, artefacts: Artefacts) -> Self {
        Self { program, artefacts }
    }

    /// The component, ready to run: from its artefact if there is one, else compiled now.
    pub(crate) async fn component(&self, engine: &Engine, wasm: &[u8]) -> Result<Component, Error> {
        let path = self.artefacts.path(wasm);
        for known in [Some(path.clone()), self.artefacts.shipped(wasm)].into_iter().flatten() {
            if let Some(component) = load(engine, &known).await {
                return Ok(component);
            }
        }
        self.compile(wasm, &path).await?;
        load(engine, &path).await.ok_or(Error::Unloadable(path))
    }

    /// Asks a component for its operations; `source` is what it is to run, if it is an engine.
    pub(crate) async fn describe(
        &self,
        wasm: &[u8],
        source: Option<&[u8]>,
    ) -> Result<Option<Vec<String>>, Error> {
        let path = self.artefacts.path(wasm);
        if !path.exists() {
            self.compile(wasm, &path).await?;
        }
        let order = Order::Describe { artefact: path.clone(), engine: source.is_some() };
        let source = source.unwrap_or_default();
        let mut report = self.order(&order, source).await?.0;
        if matches!(report, Report::Unloadable) {
            self.compile(wasm, &path).await?;
            report = self.order(&order, source).await?.0;
        }
        match report {
            Report::Described { operations } => Ok(operations),
            Report::Rejected(rejection) => Err(rejection.into()),
            Report::Unloadable => Err(Error::Unloadable(path)),
            Report::Compiled => Err(Error::Garbled),
        }
    }

    /// Compiles a component and keeps the artefact, in place of one that may be there.
    async fn compile(&self, wasm: &[u8], path: &Path) -> Result<(), Error> {
        let (report, artefact) = self.order(&Order::Compile, wasm).await?;
        match report {
            Report::Compiled => {
                self.artefacts.keep(path, &artefact).map_err(|error| Error::Artefact(path.to_owned(), error))
            }
            Report::Rejected(rejection) => Err(rejection.into()),
            Report::Described { .. } | Report::Unloadable => Err(Error::Garbled),
        }
    }

    /// Has a child do one order; gives its report and what follows it.
    async fn order(&self, order: &Order, payload: &[u8]) -> Result<(Report, Vec<u8>), Error> {
        let output = match timeout(CHILD_TIMEOUT, self.exchange(order, payload)).await {
            Ok(output) => output.map_err(|error| Error::Child(self.program.clone(), error))?,
            Err(_elapsed) => return Err(Rejection::new("compiling the code takes too long").into()),
        };
        if !output.status.success() {
            return Err(ended(output.status, &output.stderr));
        }
        let mut stdout = output.stdout;
        let line_end = stdout.iter().position(|byte| *byte == b'\n').ok_or(Error::Garbled)?;
        let rest = stdout.split_off(line_end + 1);
        let report = serde_json::from_slice(&stdout).map_err(|_malformed| Error::Garbled)?;
        Ok((report, rest))
    }

    async fn exchange(&self, order: &Order, payload: &[u8]) -> io::Result<Output> {
        let mut child = Command::new(&self.program)
            .arg(SUBCOMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        let write = async move {
            // A child that dies early tells more by its status than the broken pipe does.
            let _ = stdin.write_all(&line).await;
            let _ = stdin.write_all(payload).await;
        };
        let ((), output) = tokio::join!(write, child.wait_with_output());
        output
    }
}

/// Loads an artefact off the event loop: it reads, hashes and maps megabytes.
async fn load(engine: &Engine, path: &Path) -> Option<Component> {
    let (engine, path) = (engine.clone(), path.to_owned());
    tokio::task::spawn_blocking(move || artefacts::load(&engine, &path)).await.ok().flatten()
}

/// What it means when the child did not report: mostly that it ran into one of its limits.
fn ended(status: ExitStatus, stderr: &[u8]) -> Error {
    match std::os::unix::process::ExitStatusExt::signal(&status) {
        Some(signal) => {
            tracing::warn!(signal, "compiler was ended");
            Rejection::new("compiling the code takes too much time or memory").into()
        }
        None => Error::Broken(status, String::from_utf8_lossy(stderr).trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_came_with_the_program_is_not_compiled_again() {
        let (own, shipped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (engine, wasm) = (Engine::default(), b"\0asm\x0d\0\x01\0");
        let packed = Artefacts::open(shipped.path(), None, &engine).unwrap();
        packed.keep(&packed.path(wasm), &engine.precompile_component(wasm).unwrap()).unwrap();
        let compiler = |shipped: Option<&Path>| {
            let artefacts = Artefacts::open(own.path(), shipped.map(Path::to_owned), &engine).unwrap();
            Compiler::new("/there/is/no/compiler".into(), artefacts)
        };
        assert!(compiler(Some(shipped.path())).component(&engine, wasm).await.is_ok());
        assert!(matches!(compiler(None).component(&engine, wasm).await, Err(Error::Child(..))));
    }
}
