//! What is told once everything answers: where, and what.

use std::io::IsTerminal;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::site::{Serving, Site};
use super::state::State;
use crate::output;

/// Prints it.
pub(super) fn print(
    front: &str,
    admin: &str,
    state: &State,
    site: &Site,
    took: Duration,
) -> anyhow::Result<()> {
    let token = state.token_path();
    output::line(format!("{front}   your Funcs, ready in {} ms", took.as_millis()))?;
    output::line(format!("{admin}   admin API; the token is in {}", token.display()))?;
    output::line(format!("{}   the console", console(admin, state)))?;
    let rows: Vec<Vec<String>> =
        site.serving().flat_map(|(name, serving)| rows(front, name, serving)).collect();
    if rows.is_empty() {
        output::remark("no Func is served yet; `funcatron new` makes one");
        return Ok(());
    }
    Ok(output::line(format!("\n{}", output::table(&["METHOD", "URL", "OPERATION", "FUNC"], rows)))?)
}

/// Where the console is. The token is in the link for whoever sits at this terminal, and not where output is kept; a
/// browser sends it to nobody.
fn console(admin: &str, state: &State) -> String {
    let token = state.token.reveal();
    match std::io::stdout().is_terminal() {
        true => format!("{admin}/console/#token={}", utf8_percent_encode(token, NON_ALPHANUMERIC)),
        false => format!("{admin}/console/"),
    }
}

fn rows(front: &str, name: &str, serving: &Serving) -> Vec<Vec<String>> {
    let host = (serving.bundle.host != "*").then_some(serving.bundle.host.as_str());
    let base_path = serving.bundle.base_path.trim_end_matches('/');
    let func = host.map_or_else(|| name.to_owned(), |host| format!("{name} (host {host})"));
    let row = |operation: &wire::admin::OperationInfo| {
        let url = format!("{front}{base_path}{}", operation.path);
        vec![operation.method.clone(), url, operation.id.clone(), func.clone()]
    };
    serving.bundle.operations.iter().map(row).collect()
}
