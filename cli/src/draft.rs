//! `Draft`: a file that is to be written whole, and that its owner alone may read.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::NamedTempFile;

/// Lies beside the file that it will be, under a name that nobody can know before, and is gone unless it is finished.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

impl Draft {
    /// Begins a file.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        // A device is not to become a file, nor is a link to one such as /dev/stdout.
        let is_replaceable = path.metadata().map_or(true, |there| there.is_file());
        ensure!(is_replaceable, "{} is no file", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
        let file = BufWriter::new(file.with_context(|| format!("write {}", path.display()))?);
        Ok(Self { path: path.to_owned(), file })
    }

    /// Puts it in the place of what was there: a reader sees the file before or after, never half of it.
    ///
    /// # Errors
    /// When that fails; the file before stays.
    pub(crate) fn finish(self) -> Result<()> {
        let Self { path, file } = self;
        let written = file.into_inner().map_err(std::io::IntoInnerError::into_error);
        let put = written.and_then(|file| Ok(file.persist(&path)?));
        put.map(drop).with_context(|| format!("write {}", path.display()))
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn write(path: &Path) {
        let mut draft = Draft::of(path).unwrap();
        draft.write_all(b"secret").unwrap();
        draft.finish().unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn whoever_could_read_the_file_before_cannot_read_the_one_after() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("calls.jsonl");
        // What others may have put there in advance, as the names of drafts once were.
        for name in ["calls.jsonl", "calls.jsonl.part", &format!("calls.{}.new", std::process::id())] {
            fs::write(dir.path().join(name), "").unwrap();
            fs::set_permissions(dir.path().join(name), PermissionsExt::from_mode(0o666)).unwrap();
        }
        write(&path);
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"secret".to_vec(), 0o600));
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (dir.path().join("calls.jsonl"), dir.path().join("elsewhere"));
        fs::write(&elsewhere, "theirs").unwrap();
        symlink(&elsewhere, &path).unwrap();
        write(&path);
        assert_eq!(fs::read(&elsewhere).unwrap(), b"theirs");
        assert_eq!(fs::read(&path).unwrap(), b"secret");
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(Draft::of(&dir.path().join("calls.jsonl")).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(Draft::of(dir.path()).unwrap_err().to_string().ends_with("is no file"));
    }
}
