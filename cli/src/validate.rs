//! `funcatron validate`: every mistake of a document or a bundle, before anybody is served by it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use swagger::Document;

use crate::{check, folder, output};

/// Check a Func folder, a bundle or a document and name every mistake
#[derive(Debug, clap::Args)]
pub(crate) struct Validate {
    /// A Func folder, a bundle or an OpenAPI document
    #[arg(default_value = ".", value_name = "DIR|FILE")]
    path: PathBuf,
}

/// What every ZIP file begins with.
const ZIP_MAGIC: &[u8] = b"PK";

impl Validate {
    pub(crate) fn run(self) -> Result<()> {
        let document = validate(&self.path).with_context(|| self.path.display().to_string())?;
        let operations = match document.operations().len() {
            1 => "1 operation".to_owned(),
            count => format!("{count} operations"),
        };
        let title = output::printable(document.title());
        Ok(output::line(format!("ok  {}: {title}, {operations}", self.path.display()))?)
    }
}

fn validate(path: &Path) -> Result<Document> {
    if path.is_dir() {
        return Ok(check::bundle(&folder::pack(path)?)?.1);
    }
    let bytes = fs::read(path)?;
    if bytes.starts_with(ZIP_MAGIC) { Ok(check::bundle(&bytes)?.1) } else { Ok(check::document(&bytes)?) }
}
