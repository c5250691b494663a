//! `funcatron login`: remembers a server, once it is seen to work.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::connection::{self, Connection, Origin, Saved};
use crate::output;
use crate::server::Server;

/// Remember a server for the other commands, after checking that it works
#[derive(Debug, clap::Args)]
pub(crate) struct Login {
    /// The admin API
    #[arg(long, env = "FUNCATRON_URL", value_name = "URL", value_parser = connection::url)]
    url: String,
    /// The token that opens it; read from standard input when left out
    #[arg(long, env = "FUNCATRON_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Where its Funcs answer, for `invoke`
    #[arg(long, value_name = "URL", value_parser = connection::url)]
    frontend_url: Option<String>,
}

impl Login {
    pub(crate) fn run(self) -> Result<()> {
        let token = self.token.map_or_else(ask, Ok)?;
        let saved = Saved {
            url: self.url.trim_end_matches('/').to_owned(),
            frontend_url: self.frontend_url,
            token: Some(token).filter(|token| !token.is_empty()),
        };
        check(&saved)?;
        let path = connection::login_file().context("there is no home directory to save to")?;
        saved.write(&path)?;
        output::remark(format!("{} works; saved to {}", saved.url, path.display()));
        Ok(())
    }
}

/// The token as a pipe or a person gives it: an argument would stay in the shell's history.
fn ask() -> Result<String> {
    output::remark("token:");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("read the token")?;
    Ok(line.trim().to_owned())
}

/// Asks for something that only the right token opens.
fn check(saved: &Saved) -> Result<()> {
    let connection = Connection {
        url: saved.url.clone(),
        frontend_url: None,
        token: saved.token.clone(),
        origin: Origin::Given,
    };
    Server::new(connection).get::<Value>("/members").map(drop)
}
