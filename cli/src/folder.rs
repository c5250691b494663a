//! `Folder`: a Func as its author keeps it, a document beside its code.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use wire::Bundle;
use wire::bundle::Code;

/// What a document may be called.
pub(crate) const DOCUMENTS: [&str; 3] = ["funcatron.yaml", "funcatron.yml", "funcatron.json"];
/// What code may be called.
pub(crate) const WASM: &str = "func.wasm";
/// What code may be called.
pub(crate) const JAVASCRIPT: &str = "index.js";

/// Whether this folder is a Func's: it has a document.
pub(crate) fn is_func(folder: &Path) -> bool {
    DOCUMENTS.iter().any(|name| folder.join(name).is_file())
}

/// Reads a bundle: a ZIP file as it is, a folder packed.
pub(crate) fn bundle(path: &Path) -> Result<Bytes> {
    if path.is_dir() {
        pack(path)
    } else {
        Ok(fs::read(path).with_context(|| format!("read {}", path.display()))?.into())
    }
}

/// Packs a folder: the same parts give the same bytes.
pub(crate) fn pack(folder: &Path) -> Result<Bytes> {
    if !folder.is_dir() {
        bail!("there is no folder {}", folder.display());
    }
    let document = only(folder, &DOCUMENTS)?;
    let code =
        only(folder, &[WASM, JAVASCRIPT]).map_err(|error| match folder.join("Cargo.toml").is_file() {
            true => error.context(format!("run `funcatron build {}` first", folder.display())),
            false => error,
        })?;
    let document = read(&document)?;
    let bytes = read(&code)?;
    let code = if code.ends_with(WASM) { Code::Wasm(bytes) } else { Code::JavaScript(bytes) };
    Bundle::pack(&document, &code).with_context(|| format!("pack {}", folder.display()))
}

/// The folder's name, for people and for file names.
pub(crate) fn name(path: &Path) -> String {
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let stem = if absolute.is_dir() { absolute.file_name() } else { absolute.file_stem() };
    stem.map_or_else(|| "func".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// The one file of these names in the folder.
pub(crate) fn only(folder: &Path, names: &[&str]) -> Result<PathBuf> {
    let present: Vec<&str> = names.iter().copied().filter(|name| folder.join(name).is_file()).collect();
    match present.as_slice() {
        [name] => Ok(folder.join(name)),
        [] => bail!("{} has no {}", folder.display(), any_of(names)),
        several => bail!("{} has both {}: keep one", folder.display(), several.join(" and ")),
    }
}

/// `a, b or c`.
fn any_of(names: &[&str]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => names.concat(),
    }
}

fn read(path: &Path) -> Result<Bytes> {
    Ok(fs::read(path).with_context(|| format!("read {}", path.display()))?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in files {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        dir
    }

    #[test]
    fn a_folder_needs_one_document_and_one_code() {
        let refused = |files: &[&str]| {
            let dir = folder(files);
            let text = pack(dir.path()).unwrap_err().to_string();
            text.replace(&dir.path().display().to_string(), "DIR")
        };
        assert_eq!(refused(&["index.js"]), "DIR has no funcatron.yaml, funcatron.yml or funcatron.json");
        assert_eq!(refused(&["funcatron.yaml"]), "DIR has no func.wasm or index.js");
        assert_eq!(
            refused(&["funcatron.yaml", "index.js", "func.wasm"]),
            "DIR has both func.wasm and index.js: keep one"
        );
    }

    #[test]
    fn a_func_is_a_folder_with_a_document() {
        assert!(is_func(folder(&["funcatron.yml"]).path()));
        assert!(!is_func(folder(&["index.js"]).path()));
    }
}
