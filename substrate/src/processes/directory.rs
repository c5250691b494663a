//! `Directory`: the folder that says which processes there are. One at a time has it in hand.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::error;

use super::record::Record;
use crate::Error;

/// Nobody who has the folder in hand waits for anything: whoever takes longer hangs.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        make(path).map_err(Error::machine(format!("make {}", path.display())))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Takes the folder in hand until the lock is dropped, or its holder has died.
    pub(super) fn lock(&self) -> Result<File, Error> {
        let path = self.path.join("lock");
        let file = private().create(true).open(&path);
        let file = file.map_err(Error::machine(format!("open {}", path.display())))?;
        let give_up_at = Instant::now() + LOCK_WAIT_MAX;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < give_up_at => {
                    std::thread::sleep(LOCK_RETRY_INTERVAL);
                }
                Err(TryLockError::WouldBlock) => return Err(Error::Busy(self.path.display().to_string())),
                Err(TryLockError::Error(error)) => {
                    return Err(Error::machine(format!("lock {}", path.display()))(error));
                }
            }
        }
    }

    pub(super) fn records(&self) -> Result<Vec<Record>, Error> {
        let names = self.names().map_err(Error::machine(format!("read {}", self.path.display())))?;
        let records = names.iter().filter(|name| name.ends_with(".json"));
        Ok(records.filter_map(|name| self.read(name)).collect())
    }

    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names: Vec<String> = fs::read_dir(&self.path)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// What cannot be read tells of no process, and is cleared away.
    fn read(&self, name: &str) -> Option<Record> {
        let path = self.path.join(name);
        match serde_json::from_slice::<Record>(&fs::read(&path).ok()?) {
            Ok(record) => Some(record.in_file(name)),
            Err(broken) => {
                error!(file = %path.display(), error = %broken, "state of a runner cannot be read");
                let _removed = fs::remove_file(path);
                None
            }
        }
    }

    /// Takes the record's place in its pool; false if somebody has it.
    pub(super) fn create(&self, record: &Record) -> Result<bool, Error> {
        let path = self.path.join(record.file());
        let fresh = self.prepare(record)?;
        // As with O_EXCL, and whole from the first moment.
        let linked = fs::hard_link(&fresh, &path);
        let _removed = fs::remove_file(fresh);
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            linked => linked.map(|()| true).map_err(Error::machine(format!("make {}", path.display()))),
        }
    }

    /// Writes down what became of it.
    pub(super) fn write(&self, record: &Record) -> Result<(), Error> {
        let path = self.path.join(record.file());
        let fresh = self.prepare(record)?;
        fs::rename(fresh, &path).map_err(Error::machine(format!("write {}", path.display())))
    }

    /// Gives up its place.
    pub(super) fn have_leave(&self, record: &Record) -> Result<(), Error> {
        let (from, to) = (self.path.join(record.file()), self.path.join(record.leaving_file()));
        fs::rename(&from, &to).map_err(Error::machine(format!("rename {}", from.display())))
    }

    pub(super) fn remove(&self, record: &Record) -> Result<(), Error> {
        let path = self.path.join(record.file());
        fs::remove_file(&path).map_err(Error::machine(format!("remove {}", path.display())))
    }

    fn prepare(&self, record: &Record) -> Result<PathBuf, Error> {
        let fresh = self.path.join("fresh");
        let written = private()
            .create(true)
            .truncate(true)
            .open(&fresh)
            .and_then(|mut file| file.write_all(&serde_json::to_vec(record)?));
        written.map_err(Error::machine(format!("write {}", fresh.display())))?;
        Ok(fresh)
    }
}

/// Makes a folder that nobody else looks into: what lies there is signalled.
pub(super) fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // It may have been there before.
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// A file that nobody else reads.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}
