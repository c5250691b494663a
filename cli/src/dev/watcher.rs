//! `Watcher`: says that something changed on disk, not what: whoever hears it looks at everything.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use notify::event::{AccessKind, AccessMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// Watches folders, each by itself.
#[derive(Debug)]
pub(super) struct Watcher {
    events: RecommendedWatcher,
    changed: Arc<Notify>,
    /// With the inode, since a folder that was replaced has its name but not its watch.
    watched: BTreeMap<PathBuf, u64>,
}

impl Watcher {
    pub(super) fn new() -> Result<Self> {
        let changed = Arc::new(Notify::new());
        let notified = changed.clone();
        let events = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error means that events were lost: as good a reason to look as any.
            if event.as_ref().map_or(true, is_change) {
                notified.notify_one();
            }
        });
        Ok(Self { events: events.context("watch for changes")?, changed, watched: BTreeMap::new() })
    }

    /// Watches these folders and no others. Whether there was one that was not watched before.
    pub(super) fn cover(&mut self, folders: Vec<PathBuf>) -> Result<bool> {
        let wanted: BTreeMap<PathBuf, u64> = folders
            .into_iter()
            .filter_map(|path| Some((std::fs::metadata(&path).ok()?.ino(), path)))
            .map(|(inode, path)| (path, inode))
            .collect();
        for (path, inode) in &self.watched {
            // A folder that is gone has taken its watch along.
            if wanted.get(path) != Some(inode) && path.exists() {
                let _gone = self.events.unwatch(path);
            }
        }
        let before = std::mem::take(&mut self.watched);
        let mut any_new = false;
        for (path, inode) in wanted {
            let is_new = before.get(&path) != Some(&inode);
            if !is_new || self.watch(&path)? {
                self.watched.insert(path, inode);
            }
            any_new |= is_new;
        }
        Ok(any_new)
    }

    /// Watches one folder. False when it went away in the meantime, which its parent's watch tells.
    fn watch(&mut self, path: &Path) -> Result<bool> {
        match self.events.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind, ErrorKind::PathNotFound) || !path.exists() => Ok(false),
            Err(error) => Err(error).with_context(|| format!("watch {}", path.display())),
        }
    }

    /// Waits for a change, and then until there is none for `quiet`, but not longer than `restless`.
    pub(super) async fn changed(&self, quiet: Duration, restless: Duration) {
        self.changed.notified().await;
        let deadline = Instant::now() + restless;
        while Instant::now() < deadline && timeout(quiet, self.changed.notified()).await.is_ok() {}
    }
}

/// Whether an event is about content. Reading makes events too, and we read at every change.
fn is_change(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    async fn sees_change(watcher: &Watcher) {
        timeout(PATIENCE, watcher.changed(Duration::from_millis(1), PATIENCE)).await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_written_or_renamed_into_place_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let mut watcher = Watcher::new().unwrap();
        assert!(watcher.cover(vec![dir.path().to_owned()]).unwrap());
        assert!(!watcher.cover(vec![dir.path().to_owned()]).unwrap());
        fs::write(dir.path().join("a.new"), "a").unwrap();
        sees_change(&watcher).await;
        fs::rename(dir.path().join("a.new"), dir.path().join("a")).unwrap();
        sees_change(&watcher).await;
    }

    #[test]
    fn a_folder_that_goes_away_while_we_look_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut watcher = Watcher::new().unwrap();
        assert!(watcher.watch(dir.path()).unwrap());
        assert!(!watcher.watch(&dir.path().join("gone")).unwrap());
    }

    #[tokio::test]
    async fn a_folder_that_was_replaced_is_watched_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("func");
        fs::create_dir(&folder).unwrap();
        let mut watcher = Watcher::new().unwrap();
        watcher.cover(vec![folder.clone()]).unwrap();
        fs::create_dir(dir.path().join("other")).unwrap();
        fs::rename(&folder, dir.path().join("old")).unwrap();
        fs::rename(dir.path().join("other"), &folder).unwrap();
        assert!(watcher.cover(vec![folder.clone()]).unwrap());
        while timeout(Duration::from_millis(1), watcher.changed.notified()).await.is_ok() {}
        fs::write(folder.join("a"), "a").unwrap();
        sees_change(&watcher).await;
    }
}
