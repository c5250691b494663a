//! `scan`: what the given paths hold just now. Reads, decides nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bytes::Bytes;

use crate::folder;

/// A Func on disk.
#[derive(Debug)]
pub(super) struct Source {
    /// Its folder, or its bundle.
    pub(super) path: PathBuf,
    /// What people call it.
    pub(super) name: String,
    /// Its bundle, or why there is none.
    pub(super) zip: Result<Bytes>,
}

/// Everything there is.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order of the given paths, then by name.
    pub(super) sources: Vec<Source>,
    /// Every folder in which a change could matter.
    pub(super) folders: Vec<PathBuf>,
    /// Given paths that do not exist.
    pub(super) missing: Vec<PathBuf>,
}

/// Looks at every path.
///
/// # Errors
/// When a folder cannot be read.
pub(super) fn scan(paths: &[PathBuf]) -> Result<Found> {
    let mut found = Found::default();
    for path in paths {
        found.add(path)?;
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, path: &Path) -> Result<()> {
        if path.is_dir() {
            self.add_folder(path)
        } else if let Some(parent) = path.parent().filter(|_| path.is_file()) {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            self.folders.push(parent.to_owned());
            let is_document = folder::DOCUMENTS.iter().any(|name| path.ends_with(name));
            self.add_source(if is_document { parent } else { path });
            Ok(())
        } else {
            self.add_missing(path);
            Ok(())
        }
    }

    fn add_folder(&mut self, path: &Path) -> Result<()> {
        self.folders.push(path.to_owned());
        if folder::is_func(path) {
            self.add_source(path);
            return Ok(());
        }
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.add_missing(path);
                return Ok(());
            }
            entries => entries.with_context(|| format!("look into {}", path.display()))?,
        };
        let mut below: Vec<PathBuf> = entries.filter_map(|entry| Some(plain(&entry.ok()?.path()))).collect();
        below.retain(|path| path.is_dir() && !is_passed_over(path));
        below.sort();
        for path in below {
            if folder::is_func(&path) {
                self.add_source(&path);
            }
            // Without a document it may get one.
            self.folders.push(path);
        }
        Ok(())
    }

    /// What is gone may come back, as it does when a branch is changed.
    fn add_missing(&mut self, path: &Path) {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        self.folders.push(parent.unwrap_or(Path::new(".")).to_owned());
        self.missing.push(path.to_owned());
    }

    fn add_source(&mut self, path: &Path) {
        if self.sources.iter().all(|source| source.path != path) {
            let (name, zip) = (folder::name(path), folder::bundle(path));
            self.sources.push(Source { path: path.to_owned(), name, zip });
        }
    }
}

/// The path without a `./` that nobody typed.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

/// Folders full of files that are nobody's Func.
fn is_passed_over(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name == "target" || name == "node_modules"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn func(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("funcatron.yaml"), "openapi: 3.0.3\n").unwrap();
        fs::write(folder.join("index.js"), "export {}").unwrap();
    }

    fn names(paths: &[PathBuf]) -> Vec<String> {
        scan(paths).unwrap().sources.into_iter().map(|source| source.name).collect()
    }

    #[test]
    fn a_path_is_a_func_or_a_folder_of_funcs() {
        let dir = tempfile::tempdir().unwrap();
        func(&dir.path().join("b"));
        func(&dir.path().join("a"));
        func(&dir.path().join("node_modules/c"));
        func(&dir.path().join(".hidden"));
        fs::create_dir(dir.path().join("later")).unwrap();
        assert_eq!(names(&[dir.path().to_owned()]), ["a", "b"]);
        assert_eq!(names(&[dir.path().join("b"), dir.path().to_owned()]), ["b", "a"]);
        assert_eq!(names(&[dir.path().join("a/funcatron.yaml")]), ["a"]);
        let watched = scan(&[dir.path().to_owned()]).unwrap().folders;
        assert!(watched.contains(&dir.path().join("later")));
        assert!(!watched.contains(&dir.path().join("node_modules")));
    }

    #[test]
    fn a_bundle_is_taken_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let zip = dir.path().join("a.zip");
        fs::write(&zip, "zip").unwrap();
        let found = scan(std::slice::from_ref(&zip)).unwrap();
        let [source] = &found.sources[..] else { panic!("{found:?}") };
        assert_eq!((source.name.as_str(), source.zip.as_ref().unwrap().as_ref()), ("a", b"zip".as_slice()));
        assert_eq!(found.folders, [dir.path()]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_named() {
        let found = scan(&["nope".into()]).unwrap();
        assert_eq!((found.missing, found.folders), (vec!["nope".into()], vec![".".into()]));
    }
}
