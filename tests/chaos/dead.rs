//! The calls that the platform gave up, as it lists them to its operator.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::Client;
use serde::de::DeserializeOwned;
use tokio::task::block_in_place;
use wire::admin::{DeadLetter, DeadQueue};

use super::clock::until;
use super::ledger::GivenUp;

/// As many as are listed at once.
const LETTERS_MAX: u64 = 500;
/// How long it may take until all of them are seen and gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes all of them, so that the next run finds none. What one look holds the next may not see for a moment.
pub(crate) async fn letters(operator: &Client) -> Result<Vec<GivenUp>> {
    let mut letters: Vec<DeadLetter> = Vec::new();
    let mut told = Ok(false);
    until("the dead letters are read", PATIENCE, async || {
        told = block_in_place(|| take(operator, &mut letters));
        !matches!(told, Ok(false))
    })
    .await?;
    told?;
    Ok(letters.into_iter().map(read).collect())
}

/// Takes those that are seen; whether there were none.
fn take(operator: &Client, letters: &mut Vec<DeadLetter>) -> Result<bool> {
    let queues: Vec<DeadQueue> = ask(operator, "/api/v1/dead-letters")?;
    for DeadQueue { name, count, .. } in &queues {
        ensure!(*count <= LETTERS_MAX, "{count} dead letters in {name}");
        let path = format!("/api/v1/dead-letters/{name}");
        let listed: Vec<DeadLetter> = ask(operator, &format!("{path}?limit={LETTERS_MAX}"))?;
        let is_whole = listed.len() as u64 == *count;
        // What stays behind of a queue is seen again.
        let new = listed.into_iter().filter(|letter| !letters.contains(letter)).collect::<Vec<_>>();
        letters.extend(new);
        if is_whole {
            operator.admin("DELETE", &path, b"");
        }
    }
    Ok(queues.is_empty())
}

fn ask<T: DeserializeOwned>(operator: &Client, path: &str) -> Result<T> {
    let reply = operator.admin("GET", path, b"");
    serde_json::from_slice(&reply.body).with_context(|| format!("{path}: {}", reply.text()))
}

fn read(letter: DeadLetter) -> GivenUp {
    GivenUp {
        id: letter.call.and_then(|call| call.request_id.as_str().parse().ok()),
        attempts: letter.why.attempts.unwrap_or_default(),
        reason: letter.why.reason,
        last_error: letter.why.last_error.unwrap_or_default(),
    }
}
