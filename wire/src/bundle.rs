//! `Bundle`: one ZIP file with a document and code, read in memory by known names.

mod archive;
mod entry;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod hostile;
mod pack;
mod record;

use bytes::Bytes;

use crate::BundleSha;
use archive::Archive;

/// The largest bundle: room for the largest code, and little reason for more.
pub const BUNDLE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most files in a bundle; a large JAR has some thousands.
pub const ENTRIES_MAX: usize = 10_000;
/// The largest document; the largest one in the wild has 47 MB.
pub const DOCUMENT_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// The largest component.
pub const WASM_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The largest JavaScript source: it is parsed for every call.
pub const JS_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// What all files of a bundle may come to: each of its parts at its largest, and as much again in assets.
pub const INFLATED_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How many bytes one compressed byte may become. Text shrinks to a tenth, rarely to a fiftieth.
pub const RATIO_MAX: u64 = 250;

const DOCUMENT_NAMES: [&str; 3] = ["funcatron.yaml", "funcatron.yml", "funcatron.json"];
const WASM_NAME: &str = "func.wasm";
const JS_NAME: &str = "index.js";

/// A bundle that was opened: its parts, checked and held in memory.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Its identity: the SHA-256 of the ZIP file's bytes.
    pub sha: BundleSha,
    /// The OpenAPI document, as it was written.
    pub document: Bytes,
    /// The code.
    pub code: Code,
}

/// The code of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// `func.wasm`: a component.
    Wasm(Bytes),
    /// `index.js`: source text.
    JavaScript(Bytes),
}

/// The ZIP file is not a bundle.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Not a ZIP file, or a damaged one.
    #[error("bundle is not a readable ZIP file: {0}")]
    NotZip(String),
    /// It lacks a part.
    #[error("bundle holds no {0}")]
    Missing(&'static str),
    /// It has two parts where one is meant.
    #[error("bundle holds both {0} and {1}")]
    Ambiguous(String, String),
    /// It breaks a rule that keeps hostile archives out.
    #[error("bundle is refused: {0}")]
    Refused(String),
    /// It, or a part of it, is over a limit.
    #[error("{what} is over {max} bytes")]
    TooLarge {
        /// The bundle, or a part's name.
        what: String,
        /// The limit.
        max: u64,
    },
}

impl Bundle {
    /// Opens a bundle. Nothing but its document and its code is inflated.
    ///
    /// # Errors
    /// When it is not a ZIP file, lacks a part, breaks a rule or is over a limit.
    pub fn open(zip: &[u8]) -> Result<Self, Error> {
        check_len("bundle", zip.len(), BUNDLE_BYTES_MAX as u64)?;
        let archive = Archive::read(zip)?;
        let document = only(&archive, &DOCUMENT_NAMES, "funcatron.yaml, funcatron.yml or funcatron.json")?;
        let code = only(&archive, &[WASM_NAME, JS_NAME], "func.wasm or index.js")?;
        Ok(Self {
            sha: BundleSha::of(zip),
            document: archive.inflate(document, DOCUMENT_BYTES_MAX)?,
            code: if code == WASM_NAME {
                Code::Wasm(archive.inflate(code, WASM_BYTES_MAX)?)
            } else {
                Code::JavaScript(source_text(archive.inflate(code, JS_BYTES_MAX)?)?)
            },
        })
    }

    /// Packs a document and code as a bundle: the same parts give the same bytes.
    ///
    /// # Errors
    /// When a part is over its limit, or the code is JavaScript that is not UTF-8.
    pub fn pack(document: &[u8], code: &Code) -> Result<Bytes, Error> {
        let (code_name, code, code_max) = match code {
            Code::Wasm(wasm) => (WASM_NAME, wasm.clone(), WASM_BYTES_MAX),
            Code::JavaScript(js) => (JS_NAME, source_text(js.clone())?, JS_BYTES_MAX),
        };
        check_len("document", document.len(), DOCUMENT_BYTES_MAX)?;
        check_len(code_name, code.len(), code_max)?;
        let zip = pack::pack(&[(document_name(document), document), (code_name, &code)]);
        check_len("bundle", zip.len(), BUNDLE_BYTES_MAX as u64)?;
        Ok(zip)
    }
}

/// The one name of these that the archive holds.
fn only(archive: &Archive<'_>, names: &[&'static str], what: &'static str) -> Result<&'static str, Error> {
    let mut present = names.iter().copied().filter(|name| archive.holds(name));
    match (present.next(), present.next()) {
        (Some(name), None) => Ok(name),
        (Some(one), Some(two)) => Err(Error::Ambiguous(one.to_owned(), two.to_owned())),
        (None, _) => Err(Error::Missing(what)),
    }
}

fn source_text(js: Bytes) -> Result<Bytes, Error> {
    match std::str::from_utf8(&js) {
        Ok(_text) => Ok(js),
        Err(error) => Err(Error::Refused(format!("{JS_NAME} is not UTF-8: {error}"))),
    }
}

fn document_name(document: &[u8]) -> &'static str {
    if document.trim_ascii_start().starts_with(b"{") { "funcatron.json" } else { "funcatron.yaml" }
}

fn check_len(what: &str, len: usize, max: u64) -> Result<(), Error> {
    if len as u64 > max { Err(Error::TooLarge { what: what.to_owned(), max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_bundle_opens_with_the_parts_it_was_given() {
        for code in [Code::Wasm(Bytes::from_static(b"\0asm")), Code::JavaScript(Bytes::from_static(b"1"))] {
            let zip = Bundle::pack(b"openapi: 3.0.0\n", &code).unwrap();
            let bundle = Bundle::open(&zip).unwrap();
            assert_eq!(bundle.sha, BundleSha::of(&zip));
            assert_eq!(bundle.document, "openapi: 3.0.0\n");
            assert_eq!(bundle.code, code);
        }
    }

    #[test]
    fn the_same_parts_give_the_same_bytes() {
        let pack = || Bundle::pack(b"{}", &Code::JavaScript(Bytes::from_static(b"1"))).unwrap();
        assert_eq!(pack(), pack());
    }

    #[test]
    fn what_packs_opens_however_well_it_compresses() {
        let spaces = vec![b' '; 5_000_000];
        let zip = Bundle::pack(&spaces, &Code::Wasm(Bytes::from(vec![0; 100]))).unwrap();
        assert_eq!(Bundle::open(&zip).unwrap().document, spaces);
    }

    #[test]
    fn javascript_has_to_be_text() {
        let code = Code::JavaScript(Bytes::from_static(b"\xff"));
        assert!(matches!(Bundle::pack(b"{}", &code), Err(Error::Refused(_))));
    }
}
