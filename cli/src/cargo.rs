//! `Cargo`: what compiles a Func in Rust to a component.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// What a Func compiles to.
pub(crate) const TARGET: &str = "wasm32-wasip2";
/// How to get it.
pub(crate) const INSTALL: &str = "rustup target add wasm32-wasip2";

/// The program that builds Funcs: `cargo`, or what `FUNCATRON_CARGO` names, which then knows its
/// own way to WebAssembly.
#[derive(Debug)]
pub(crate) struct Cargo {
    program: OsString,
    replaced: bool,
}

/// A line of cargo's own report.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

impl Cargo {
    /// The one of this environment.
    pub(crate) fn from_env() -> Self {
        match std::env::var_os("FUNCATRON_CARGO").filter(|program| !program.is_empty()) {
            Some(program) => Self { program, replaced: true },
            None => Self { program: "cargo".into(), replaced: false },
        }
    }

    /// Why it cannot compile Funcs, when it cannot, with what to do about it.
    pub(crate) fn problem(&self, folder: &Path) -> Option<String> {
        if self.replaced {
            let program = Path::new(&self.program);
            // A bare name is looked up by the system; only a path can be judged here.
            let missing = program.components().count() > 1 && !program.exists();
            return missing
                .then(|| format!("FUNCATRON_CARGO names {}, which does not exist", program.display()));
        }
        let asked = Command::new("rustc")
            .args(["--print", "target-libdir", "--target", TARGET])
            .current_dir(folder)
            .stderr(Stdio::null())
            .output();
        match asked {
            Err(_) => Some("there is no Rust compiler; https://rustup.rs has one".to_owned()),
            Ok(answer) if has_libraries(&answer.stdout) => None,
            Ok(_) => Some(format!("the Rust target {TARGET} is not installed; run: {INSTALL}")),
        }
    }

    /// Builds the package in this folder; its component.
    pub(crate) fn build(&self, folder: &Path) -> Result<PathBuf> {
        if let Some(problem) = self.problem(folder) {
            bail!(problem);
        }
        // The target is set in the environment, where a replacement for cargo can have its own.
        let built = Command::new(&self.program)
            .args(["build", "--release", "--message-format=json-render-diagnostics"])
            .env("CARGO_BUILD_TARGET", TARGET)
            .current_dir(folder)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("run {}", self.program.display()))?;
        if !built.status.success() {
            bail!("{} could not build {}", self.program.display(), folder.display());
        }
        component(&built.stdout).with_context(|| {
            format!("{} makes no component; its [lib] needs crate-type = [\"cdylib\"]", folder.display())
        })
    }
}

/// Whether the directory that rustc names holds a standard library.
fn has_libraries(libdir: &[u8]) -> bool {
    let libdir = String::from_utf8_lossy(libdir);
    std::fs::read_dir(libdir.trim()).is_ok_and(|mut files| files.next().is_some())
}

/// The last component that cargo reports: those of dependencies come before it.
fn component(report: &[u8]) -> Option<PathBuf> {
    let lines = report.split(|byte| *byte == b'\n');
    let messages = lines.filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let artifacts = messages.filter(|message| message.reason == "compiler-artifact");
    artifacts
        .flat_map(|message| message.filenames)
        .rfind(|path| path.extension().is_some_and(|end| end == "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_found_in_the_report() {
        let report = br#"{"reason":"compiler-artifact","filenames":["/t/libdep.rlib"]}
not json
{"reason":"compiler-artifact","filenames":["/t/hello.wasm","/t/libhello.rlib"]}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(component(report), Some("/t/hello.wasm".into()));
        assert_eq!(component(b"{}"), None);
    }
}
