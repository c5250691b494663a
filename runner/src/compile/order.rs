//! `Order` and `Report`: what parent and child say to each other, a line of JSON before the bytes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the child is to do. The rest of its input is what to do it with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case")]
pub(super) enum Order {
    /// Compile the component that follows; the artefact follows the report.
    Compile,
    /// Ask the component for its operations, which runs the source that follows if it is an engine.
    Describe {
        /// The component, compiled.
        artefact: PathBuf,
        /// Whether it is an engine.
        engine: bool,
    },
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "kebab-case")]
pub(super) enum Report {
    /// The artefact follows.
    Compiled,
    /// The component's operations; `None` when it does not say.
    Described {
        /// Their ids.
        operations: Option<Vec<String>>,
    },
    /// The code cannot be used.
    Rejected(Rejection),
    /// The artefact cannot be loaded.
    Unloadable,
}

/// Why code cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rejection {
    /// What is wrong with it.
    #[serde(rename = "error")]
    pub(crate) reason: String,
    /// In which file.
    #[serde(default)]
    pub(crate) file: Option<String>,
    /// At which line, from 1.
    #[serde(default)]
    pub(crate) line: Option<u32>,
    /// At which column, from 1.
    #[serde(default)]
    pub(crate) column: Option<u32>,
}

impl Rejection {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), file: None, line: None, column: None }
    }
}

impl std::error::Error for Rejection {}

impl std::fmt::Display for Rejection {
    /// The reason after the place, as compilers write it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            for place in [self.line, self.column].into_iter().flatten() {
                write!(f, "{place}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.reason)
    }
}
