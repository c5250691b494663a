//! Which server a command talks to, and where that is remembered.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use ureq::http;

use crate::draft::Draft;

/// Where `funcatron dev` serves its admin API unless told otherwise.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:3001";
/// Where it serves Funcs.
pub(crate) const DEFAULT_FRONTEND_URL: &str = "http://127.0.0.1:3000";
/// The directory that `funcatron dev` keeps its state in.
pub(crate) const STATE_DIR: &str = ".funcatron";
/// The file in it that tells other commands where the running `dev` is.
const RUNNING: &str = "running.json";

/// The server, as it can be given with every command that needs one.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct Given {
    /// The admin API (see `funcatron --help` for what stands in)
    #[arg(long, env = "FUNCATRON_URL", value_name = "URL", value_parser = url)]
    pub(crate) url: Option<String>,
    /// The token that opens it
    #[arg(long, env = "FUNCATRON_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

/// A server, as it is kept in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    /// The admin API.
    pub(crate) url: String,
    /// Where Funcs answer, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) frontend_url: Option<String>,
    /// The token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
}

/// The server that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The admin API, without a slash at the end.
    pub(crate) url: String,
    /// Where Funcs answer, when it is known.
    pub(crate) frontend_url: Option<String>,
    /// The token, when there is one.
    pub(crate) token: Option<String>,
    /// Who chose it.
    pub(crate) origin: Origin,
}

/// Who chose the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Whoever typed the command, or their environment.
    Given,
    /// This file.
    File(PathBuf),
    /// Nobody.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => f.write_str("as given"),
            Self::File(path) => write!(f, "from {}", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// Takes what can be sent a request, so that a slip is told as such and not as a server that is down.
pub(crate) fn url(text: &str) -> Result<String, &'static str> {
    let sound = text.parse::<http::Uri>().is_ok_and(|uri| {
        uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
    });
    if sound { Ok(text.to_owned()) } else { Err("it has to look like http://127.0.0.1:3001") }
}

impl Given {
    /// Chooses the server.
    pub(crate) fn connection(&self) -> Result<Connection> {
        let login = login_file().filter(|path| path.exists());
        let state = std::env::current_dir().ok().and_then(|here| running_file(&here));
        let files: Vec<(PathBuf, Saved)> = login.into_iter().chain(state).map(read).collect::<Result<_>>()?;
        Ok(choose(self, &files))
    }
}

/// Chooses among what was given and what was saved, the first file first.
fn choose(given: &Given, files: &[(PathBuf, Saved)]) -> Connection {
    let (url, origin) = match (&given.url, files.first()) {
        (Some(url), _) => (url.as_str(), Origin::Given),
        (None, Some((path, saved))) => (saved.url.as_str(), Origin::File(path.clone())),
        (None, None) => (DEFAULT_URL, Origin::Default),
    };
    let url = url.trim_end_matches('/').to_owned();
    // A token goes to the server that it was saved for, and to no other.
    let saved = files.iter().map(|(_, saved)| saved).find(|saved| saved.url.trim_end_matches('/') == url);
    Connection {
        token: given.token.clone().or_else(|| saved.and_then(|saved| saved.token.clone())),
        frontend_url: saved.and_then(|saved| saved.frontend_url.clone()),
        url,
        origin,
    }
}

/// Where `funcatron login` saves to.
pub(crate) fn login_file() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let config = config.or_else(|| std::env::home_dir().map(|home| home.join(".config")))?;
    Some(config.join("funcatron").join("config.json"))
}

/// The file of a running `funcatron dev`, here or in a folder above.
fn running_file(here: &Path) -> Option<PathBuf> {
    here.ancestors().map(|folder| Saved::running(&folder.join(STATE_DIR))).find(|path| path.exists())
}

fn read(path: PathBuf) -> Result<(PathBuf, Saved)> {
    let read = fs::read(&path).map_err(anyhow::Error::from);
    let saved = read.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
    let saved = saved.with_context(|| format!("read {}", path.display()))?;
    Ok((path, saved))
}

impl Saved {
    /// Where a running `funcatron dev` with this state directory says where it is.
    pub(crate) fn running(state: &Path) -> PathBuf {
        state.join(RUNNING)
    }

    /// Writes it, readable by its owner alone. A reader sees the file before or after, never half of it.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let written = self.replace(path);
        written.with_context(|| format!("write {}", path.display()))
    }

    fn replace(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut draft = Draft::of(path)?;
        draft.write_all(&serde_json::to_vec_pretty(self)?)?;
        draft.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn saved(url: &str, token: &str) -> Saved {
        Saved { url: url.into(), frontend_url: None, token: Some(token.into()) }
    }

    fn files() -> Vec<(PathBuf, Saved)> {
        vec![("login".into(), saved("http://a", "ta")), ("state".into(), saved("http://b", "tb"))]
    }

    #[test]
    fn a_given_server_beats_the_saved_ones() {
        let given = Given { url: Some("http://c/".into()), token: Some("tc".into()) };
        let chosen = choose(&given, &files());
        assert_eq!((chosen.url.as_str(), chosen.token.as_deref()), ("http://c", Some("tc")));
    }

    #[test]
    fn the_login_beats_the_state_directory_and_that_the_default() {
        let chosen = choose(&Given::default(), &files());
        assert_eq!((chosen.url.as_str(), chosen.token.as_deref()), ("http://a", Some("ta")));
        let chosen = choose(&Given::default(), &files()[1..]);
        assert_eq!(chosen.origin, Origin::File("state".into()));
        let chosen = choose(&Given::default(), &[]);
        assert_eq!((chosen.url.as_str(), chosen.token), (DEFAULT_URL, None));
    }

    #[test]
    fn what_is_no_url_is_not_asked_for_an_answer() {
        for text in ["http://127.0.0.1:3001", "https://a.example/", "http://[::1]:3001"] {
            assert_eq!(url(text).as_deref(), Ok(text));
        }
        for text in ["", "nonsense", "127.0.0.1:3001", "localhost:3001", "ftp://a", "http://a?b"] {
            assert!(url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_saved_token_goes_to_its_own_server_only() {
        let given = |url: &str| Given { url: Some(url.into()), token: None };
        assert_eq!(choose(&given("http://c"), &files()).token, None);
        assert_eq!(choose(&given("http://b/"), &files()).token.as_deref(), Some("tb"));
    }

    #[test]
    fn a_running_dev_is_found_from_a_folder_below() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        let path = Saved::running(&dir.path().join(STATE_DIR));
        saved("http://a", "t").write(&path).unwrap();
        let found = running_file(&below).unwrap();
        assert_eq!(read(found).unwrap(), (path.clone(), saved("http://a", "t")));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
