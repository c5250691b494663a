//! `Token`: the secret that opens the admin API.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::{fmt, str};

/// The token's file in the state directory.
const FILE: &str = "token";

/// As hard to guess as the SHA-256 that names a bundle.
const BYTES: usize = 32;

/// The secret that opens the admin API. It never shows in a log.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The token kept in this directory, or a new one that is kept there, readable by its owner alone.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds no token.
    pub fn load_or_create(state_dir: &Path) -> io::Result<Self> {
        let path = state_dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::from_text(&text),
            Err(missing) if missing.kind() == ErrorKind::NotFound => create(&path),
            Err(error) => Err(error),
        }
    }

    /// A token chosen by the operator.
    ///
    /// # Errors
    /// When the text, less the space around it, is empty or could not stand in a header.
    pub fn from_text(text: &str) -> io::Result<Self> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(io::Error::new(ErrorKind::InvalidData, "a token must be visible ASCII"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The secret itself, for whoever calls the admin API.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this is the token; takes as long for a near miss as for a far one.
    pub(crate) fn matches(&self, candidate: &str) -> bool {
        let (own, candidate) = (self.0.as_bytes(), candidate.as_bytes());
        let differences = own.iter().zip(candidate).fold(0, |seen, (a, b)| seen | (a ^ b));
        own.len() == candidate.len() && std::hint::black_box(differences) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Written beside its place and linked into it, so that no reader meets half a token and of two
/// that create it at once both use the first.
fn create(path: &Path) -> io::Result<Token> {
    let secret = random_hex()?;
    let draft = path.with_extension(format!("{}.new", secret.get(..8).unwrap_or_default()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Token::from_text(&secret),
        Err(taken) if taken.kind() == ErrorKind::AlreadyExists => {
            Token::from_text(&fs::read_to_string(path)?)
        }
        Err(error) => Err(error),
    }
}

fn random_hex() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_token_is_made_once_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let made = Token::load_or_create(dir.path()).unwrap();
        assert_eq!(made.reveal().len(), 2 * BYTES);
        assert_eq!(Token::load_or_create(dir.path()).unwrap().reveal(), made.reveal());
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_the_whole_token_matches() {
        let token = Token::from_text(" secret\n").unwrap();
        assert!(token.matches("secret"));
        for other in ["", "secre", "secrets", "Secret"] {
            assert!(!token.matches(other), "{other}");
        }
        assert!(Token::from_text(" \n").is_err());
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}
