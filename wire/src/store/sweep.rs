//! Deletes bodies that are old, and what is left of writes that a process did not live to end.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use tokio::task::spawn_blocking;

use super::bodies::ended;
use super::{Error, Store, is_older, unavailable};
use crate::{BodySha, Timestamp};

impl Store {
    /// Deletes the objects of bodies that were last written before `before`, and says how many. Whoever
    /// keeps the same content again writes it again, so an object in use is never old.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn delete_bodies(&self, before: Timestamp) -> Result<usize, Error> {
        let action = || "delete old bodies".to_owned();
        let failed = |source| unavailable(action(), source);
        let mut deleted = 0;
        let folder = Key::from(BodySha::FOLDER);
        let mut listed = self.objects.list(Some(&folder));
        while let Some(object) = listed.try_next().await.map_err(failed)? {
            // Somebody may have written it again since it was listed, or deleted it.
            let is_still = is_older(&object, before)
                && match self.objects.head(&object.location).await {
                    Err(object_store::Error::NotFound { .. }) => false,
                    now => is_older(&now.map_err(failed)?, before),
                };
            if is_still && self.remove(&object.location, action).await? {
                deleted += 1;
            }
        }
        Ok(deleted + self.delete_unfinished(before).await?)
    }

    /// Deletes files of bodies that were begun before `before` and never got their name: whoever wrote them
    /// is gone, and the store shows them to nobody.
    async fn delete_unfinished(&self, before: Timestamp) -> Result<usize, Error> {
        let Some(directory) = &self.directory else { return Ok(0) };
        let folder = directory.join(BodySha::FOLDER);
        let before = UNIX_EPOCH + Duration::from_millis(before.0);
        let deleted = spawn_blocking(move || delete_files(&folder, before)).await.map_err(ended)?;
        deleted.map_err(|source| {
            let source = object_store::Error::Generic { store: "directory", source: source.into() };
            unavailable("delete unfinished bodies".to_owned(), source)
        })
    }
}

fn delete_files(folder: &Path, before: SystemTime) -> io::Result<usize> {
    let files = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        files => files?,
    };
    let mut deleted = 0;
    for file in files {
        let file = file?;
        // The mark that `LocalFileSystem` sets until all is written.
        if !file.file_name().to_string_lossy().contains('#') {
            continue;
        }
        let gone = file.metadata().and_then(|metadata| match metadata.modified()? < before {
            true => std::fs::remove_file(file.path()).map(|()| true),
            false => Ok(false),
        });
        match gone {
            Ok(true) => deleted += 1,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(deleted)
}
