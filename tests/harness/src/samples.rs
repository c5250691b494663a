//! The Funcs of this repository.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// One that shows how it is done.
pub fn sample(name: &str) -> PathBuf {
    root().join("funcs").join(name)
}

/// One that exists for tests alone.
pub fn test_func(name: &str) -> PathBuf {
    root().join("tests/funcs").join(name)
}

/// Copies what makes a Func into a folder that is made for it.
pub fn copy_func(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for part in ["funcatron.yaml", "index.js", "func.wasm"] {
        if from.join(part).exists() {
            fs::copy(from.join(part), to.join(part)).unwrap();
        }
    }
}
