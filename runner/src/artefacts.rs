//! `Artefacts`: compiled components on disk, by what they were compiled from and for which engine.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The bytes of a SHA-256, which every artefact file begins with.
const SHA_LEN: usize = 32;

/// A directory of compiled components, and perhaps one that came with the program.
#[derive(Clone, Debug)]
pub(crate) struct Artefacts {
    dir: PathBuf,
    shipped: Option<PathBuf>,
    /// Tells apart what different builds of us, or of wasmtime, compiled.
    engine_hash: u64,
}

impl Artefacts {
    /// The artefacts for `engine` in a directory, made if need be, and in one that is only read.
    pub(crate) fn open(dir: &Path, shipped: Option<PathBuf>, engine: &Engine) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { dir: dir.to_owned(), shipped, engine_hash: hasher.finish() })
    }

    /// Where the artefact of this component is, or belongs.
    pub(crate) fn path(&self, wasm: &[u8]) -> PathBuf {
        self.dir.join(self.name(wasm))
    }

    /// Where it is if it came with the program.
    pub(crate) fn shipped(&self, wasm: &[u8]) -> Option<PathBuf> {
        Some(self.shipped.as_ref()?.join(self.name(wasm)))
    }

    fn name(&self, wasm: &[u8]) -> String {
        format!("{:x}-{:016x}.cwasm", Sha256::digest(wasm), self.engine_hash)
    }

    /// Keeps an artefact, whole or not at all, whoever else writes the same one.
    pub(crate) fn keep(&self, path: &Path, artefact: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(&Sha256::digest(artefact))?;
        file.write_all(artefact)?;
        file.persist(path)?;
        Ok(())
    }
}

/// Reads an artefact; `None` when there is none that checks out.
pub(crate) fn load(engine: &Engine, path: &Path) -> Option<Component> {
    let file = std::fs::read(path).ok()?;
    let (sha, artefact) = file.split_at_checked(SHA_LEN)?;
    if Sha256::digest(artefact).as_slice() != sha {
        tracing::warn!(path = %path.display(), "artefact is damaged");
        return None;
    }
    #[expect(unsafe_code, reason = "there is no safe way to load compiled code")]
    // SAFETY: the bytes are what our own compiler wrote. Nothing but `keep` puts files into the one
    // directory, whoever made the image into the other, the hash that it wrote was just checked, and nobody can change this copy of them.
    let component = unsafe { Component::deserialize(engine, artefact) };
    component.inspect_err(|error| tracing::warn!(path = %path.display(), %error, "artefact is unusable")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_artefact_is_never_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        let artefacts = Artefacts::open(dir.path(), None, &engine).unwrap();
        let path = artefacts.path(b"wasm");
        assert!(load(&engine, &path).is_none());

        let good = engine.precompile_component(b"\0asm\x0d\0\x01\0").unwrap();
        artefacts.keep(&path, &good).unwrap();
        assert!(load(&engine, &path).is_some());

        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(load(&engine, &path).is_none());
        std::fs::write(&path, b"short").unwrap();
        assert!(load(&engine, &path).is_none());
    }
}
