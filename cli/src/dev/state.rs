//! `State`: the directory of one `funcatron dev`, which is nobody else's while it runs.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use tron::Token;

use crate::connection::Saved;
use crate::output;

/// A state directory in use.
#[derive(Debug)]
pub(super) struct State {
    folder: PathBuf,
    pub(super) token: Token,
    /// Held for as long as this lives.
    _lock: File,
}

/// The word to other commands that this `dev` runs; dropping it takes the word back.
#[derive(Debug)]
pub(super) struct Running(PathBuf);

impl State {
    /// Makes the directory if need be, and takes it.
    ///
    /// # Errors
    /// When it cannot be made, or another process has it.
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        let open = || -> Result<File> {
            fs::create_dir_all(&folder)?;
            // Whatever the project's own ignore file says, a token is not committed.
            fs::write(folder.join(".gitignore"), "*\n")?;
            Ok(File::create(folder.join("lock"))?)
        };
        let lock = open().with_context(|| format!("make the state directory {}", folder.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another `funcatron dev` uses {}; give this one its own with --state", folder.display())
            }
            Err(TryLockError::Error(error)) => {
                return Err(anyhow!(error).context(format!("take the state directory {}", folder.display())));
            }
        }
        let token = Token::load_or_create(&folder)
            .with_context(|| format!("read the token in {}", folder.display()))?;
        Ok(Self { folder, token, _lock: lock })
    }

    /// Where bundles and the deployment log lie.
    pub(super) fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// Where compiled code lies when the user has no place for such things.
    pub(super) fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// Where the token lies.
    pub(super) fn token_path(&self) -> PathBuf {
        self.folder.join("token")
    }

    /// Tells other commands where this one answers.
    pub(super) fn announce(&self, admin: &str, front: &str) -> Result<Running> {
        let path = Saved::running(&self.folder);
        let saved = Saved {
            url: admin.to_owned(),
            frontend_url: Some(front.to_owned()),
            token: Some(self.token.reveal().to_owned()),
        };
        saved.write(&path)?;
        Ok(Running(path))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.0) {
            output::remark(format!("cannot remove {}: {error}", self.0.display()));
        }
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_directory_serves_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = State::open(dir.path().to_owned()).unwrap();
        let refused = State::open(dir.path().to_owned()).unwrap_err().to_string();
        assert!(refused.contains("--state"), "{refused}");
        let token = first.token.reveal().to_owned();
        drop(first);
        assert_eq!(State::open(dir.path().to_owned()).unwrap().token.reveal(), token);
    }

    #[test]
    fn other_commands_hear_of_it_while_it_runs() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path().to_owned()).unwrap();
        let running = state.announce("http://a", "http://f").unwrap();
        assert!(Saved::running(dir.path()).exists());
        drop(running);
        assert!(!Saved::running(dir.path()).exists());
    }
}
