//! `funcatron new`: a folder that works at once, from a template or from a document.

mod answer;
mod javascript;
mod rust;
mod template;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use swagger::Document;

use crate::{check, output};

/// Start a new Func
///
/// It answers at once: `funcatron dev NAME`. With --from, every operation of your document gets a
/// function that answers with an example.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "init")]
pub(crate) struct New {
    /// The folder to make; named after the document, or `hello`, when left out
    name: Option<PathBuf>,
    /// The language
    #[arg(short, long, value_enum, default_value_t)]
    template: Language,
    /// An OpenAPI document to start from
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// What a Func can be written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    /// JavaScript; needs no compiler
    #[default]
    Js,
    /// Rust, compiled to WebAssembly
    Rust,
}

/// A file to write.
#[derive(Debug)]
struct File {
    path: String,
    content: Vec<u8>,
}

impl File {
    fn new(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), content: content.into() }
    }
}

impl New {
    pub(crate) fn run(self) -> Result<()> {
        let (folder, files) = match &self.from {
            Some(path) => self.stubbed(path)?,
            None => self.templated()?,
        };
        write(&folder, &files)?;
        output::line(format!("made {}", folder.display()))?;
        output::remark(self.next_steps(&folder));
        Ok(())
    }

    fn templated(&self) -> Result<(PathBuf, Vec<File>)> {
        let folder = self.name.clone().unwrap_or_else(|| "hello".into());
        let name = template::name(&folder)?;
        let files = match self.template {
            Language::Js => template::javascript(&name),
            Language::Rust => template::rust(&name),
        };
        Ok((folder, files))
    }

    fn stubbed(&self, path: &Path) -> Result<(PathBuf, Vec<File>)> {
        let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        let document = check::document(&bytes).with_context(|| path.display().to_string())?;
        let folder = self.name.clone().unwrap_or_else(|| template::slug(document.title()).into());
        let name = template::name(&folder)?;
        let mut files = stubs(self.template, &name, &document);
        files.push(File::new(document_name(&bytes), bytes));
        Ok((folder, files))
    }

    fn next_steps(&self, folder: &Path) -> String {
        let folder = folder.display();
        match (self.template, &self.from) {
            (Language::Js, _) => format!("next: funcatron dev {folder}, or funcatron deploy {folder}"),
            (Language::Rust, None) => {
                format!(
                    "next: funcatron dev {folder}; after a change of its source, funcatron build {folder}"
                )
            }
            (Language::Rust, Some(_)) => {
                format!("next: funcatron build {folder}, then funcatron dev {folder}")
            }
        }
    }
}

fn stubs(language: Language, name: &str, document: &Document) -> Vec<File> {
    match language {
        Language::Js => vec![File::new("index.js", javascript::source(document))],
        Language::Rust => {
            let mut files = template::rust_package(name);
            files.push(File::new("src/lib.rs", rust::source(document)));
            files
        }
    }
}

/// A document keeps its own form, under the name for it.
fn document_name(bytes: &[u8]) -> &'static str {
    if bytes.trim_ascii_start().starts_with(b"{") { "funcatron.json" } else { "funcatron.yaml" }
}

/// Writes the files into a folder that is new or empty: nobody's work is overwritten.
fn write(folder: &Path, files: &[File]) -> Result<()> {
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken || folder.is_file() {
        bail!("{} exists already; nothing was written", folder.display());
    }
    for File { path, content } in files {
        let path = folder.join(path);
        let written =
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content));
        written.with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &Path, template: Language, from: Option<&Path>) -> Result<()> {
        New { name: Some(name.to_owned()), template, from: from.map(Path::to_owned) }.run()
    }

    #[test]
    fn every_template_packs_and_its_document_is_sound() {
        let dir = tempfile::tempdir().unwrap();
        for (name, template) in [("one", Language::Js), ("two", Language::Rust)] {
            let folder = dir.path().join(name);
            new(&folder, template, None).unwrap();
            let bundle = wire::Bundle::open(&crate::folder::pack(&folder).unwrap()).unwrap();
            let document = check::document(&bundle.document).unwrap();
            assert_eq!((document.title(), document.base_path().to_string()), (name, format!("/{name}")));
        }
    }

    #[test]
    fn what_is_there_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("mine");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("index.js"), "mine").unwrap();
        let refused = new(&folder, Language::Js, None).unwrap_err().to_string();
        assert!(refused.ends_with("exists already; nothing was written"), "{refused}");
        assert_eq!(fs::read_to_string(folder.join("index.js")).unwrap(), "mine");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_document_is_copied_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let document = dir.path().join("api.json");
        fs::write(&document, r#"{"openapi":"3.0.3","info":{"title":"A","version":"1"},"paths":{}}"#).unwrap();
        let folder = dir.path().join("a");
        new(&folder, Language::Js, Some(&document)).unwrap();
        assert_eq!(fs::read(folder.join("funcatron.json")).unwrap(), fs::read(&document).unwrap());
        assert!(crate::folder::pack(&folder).is_ok());
    }
}
