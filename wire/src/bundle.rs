//! `Bundle`: one ZIP file with a document and code, read in memory by known names.

use bytes::Bytes;

use crate::BundleSha;

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
    /// Opens a bundle.
    ///
    /// # Errors
    /// When it is not a ZIP file, lacks a part, breaks a rule or is over a limit.
    pub fn open(_zip: &[u8]) -> Result<Self, Error> {
        unimplemented!()
    }

    /// Packs a document and code as a bundle: the same parts give the same bytes.
    ///
    /// # Errors
    /// When a part is over its limit.
    pub fn pack(_document: &[u8], _code: &Code) -> Result<Bytes, Error> {
        unimplemented!()
    }
}
