//! `funcatron build`: a Func folder becomes a bundle.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wire::BundleSha;

use crate::cargo::Cargo;
use crate::{check, folder, output};

/// Pack a Func folder as a bundle
///
/// A folder with a Cargo.toml is compiled first; FUNCATRON_CARGO names another program than cargo.
#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// The Func folder
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// Where to write the bundle; NAME.zip in this directory when left out
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Build {
    pub(crate) fn run(self) -> Result<()> {
        if self.folder.join("Cargo.toml").is_file() {
            compile(&self.folder)?;
        }
        let zip = folder::pack(&self.folder)?;
        check::bundle(&zip).with_context(|| self.folder.display().to_string())?;
        let path = self.output.unwrap_or_else(|| format!("{}.zip", folder::name(&self.folder)).into());
        fs::write(&path, &zip).with_context(|| format!("write {}", path.display()))?;
        let sha = BundleSha::of(&zip);
        Ok(output::line(format!("{}: {} bytes, {sha}", path.display(), zip.len()))?)
    }
}

/// Compiles the folder and puts the component beside its document.
fn compile(folder: &Path) -> Result<()> {
    let component = Cargo::from_env().build(folder)?;
    let (place, draft) = (folder.join(folder::WASM), folder.join("func.wasm.new"));
    // By rename, so that a `funcatron dev` that watches never sees half a component.
    fs::copy(&component, &draft).with_context(|| format!("copy {}", component.display()))?;
    fs::rename(&draft, &place).with_context(|| format!("write {}", place.display()))
}
