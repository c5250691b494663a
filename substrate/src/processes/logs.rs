//! `Logs`: what processes print, a file for each.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::directory;
use super::record::Record;
use crate::Error;

/// Of runners that have ended, the last few tell what is wrong.
const KEPT_MAX: usize = 20;
/// A file that grows beyond this begins anew: it is there to be read by a person.
const BYTES_MAX: u64 = 32 << 20;
/// The last line is in here.
const TAIL_BYTES: u64 = 4096;

#[derive(Debug)]
pub(super) struct Logs {
    path: PathBuf,
}

impl Logs {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        directory::make(path).map_err(Error::machine(format!("make {}", path.display())))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Makes the file of an instance.
    pub(super) fn create(&self, instance: &str) -> io::Result<File> {
        // So that it can be cut short while it is written.
        directory::private().append(true).create_new(true).open(self.file(instance))
    }

    /// Clears away the oldest of those that nobody writes any more.
    pub(super) fn prune(&self, written: &[Record]) -> io::Result<()> {
        let written: HashSet<PathBuf> = written.iter().map(|record| self.file(&record.instance)).collect();
        let mut old: Vec<(SystemTime, PathBuf)> = fs::read_dir(&self.path)?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
            })
            .filter(|(_time, path)| !written.contains(path))
            .collect();
        old.sort();
        old.iter().rev().skip(KEPT_MAX).try_for_each(|(_time, path)| fs::remove_file(path))
    }

    /// Begins the file anew if it is too long.
    pub(super) fn shorten(&self, instance: &str) -> Result<(), Error> {
        let path = self.file(instance);
        if fs::metadata(&path).is_ok_and(|file| file.len() > BYTES_MAX) {
            let emptied = directory::private().truncate(true).open(&path);
            emptied.map_err(Error::machine(format!("shorten {}", path.display())))?;
        }
        Ok(())
    }

    /// What the instance said last.
    pub(super) fn last_line(&self, instance: &str) -> Option<String> {
        let mut file = File::open(self.file(instance)).ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES))).ok()?;
        let mut tail = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut tail).ok()?;
        let tail = String::from_utf8_lossy(&tail);
        tail.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
    }

    fn file(&self, instance: &str) -> PathBuf {
        self.path.join(format!("{instance}.log"))
    }
}
