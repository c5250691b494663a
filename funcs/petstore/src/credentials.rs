//! Who may call: the platform has seen that credentials are there, the Func knows which are right.

use funcatron_guest::{Problem, Request, Result};
use serde::Deserialize;

/// A way to prove who you are, as the document names it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Scheme {
    ApiKey,
    PetstoreAuth,
}

#[derive(Deserialize)]
#[serde(default)]
struct Secrets {
    api_key: String,
    token: String,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { api_key: "special-key".into(), token: "special-token".into() }
    }
}

/// Passes a request that satisfies one of the schemes; the others are a 401.
pub(crate) fn check(request: &Request, schemes: &[Scheme]) -> Result<()> {
    let secrets: Secrets = request.props()?;
    let satisfies = |scheme: &Scheme| match scheme {
        Scheme::ApiKey => request.header("api_key") == Some(&secrets.api_key),
        Scheme::PetstoreAuth => request.bearer() == Some(&secrets.token),
    };
    if schemes.iter().any(satisfies) {
        return Ok(());
    }
    Err(Problem::unauthorized("the credentials are not right").header("www-authenticate", "Bearer"))
}
