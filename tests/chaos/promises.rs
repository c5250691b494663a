//! What became of the calls that were accepted with a 202, as their locations say.

use std::time::Duration;

use super::client::Client;
use super::clock::until;
use super::ledger::{Request, Settled};

/// Asks for every promise how it ended, until all have or it takes too long. Those that are still open then, or
/// of which nobody knows, are open.
pub(crate) async fn settle(client: &Client, requests: &mut [Request], within: Duration) {
    let mut open: Vec<&mut Request> = requests.iter_mut().filter(|request| request.is_promised()).collect();
    let settled = until("every promise is settled", within, async || {
        for request in &mut open {
            request.settled = Some(settled(client, request).await);
        }
        open.retain(|request| request.settled == Some(Settled::Open));
        open.is_empty()
    });
    // Those that are open speak for themselves.
    let _in_time = settled.await;
}

async fn settled(client: &Client, request: &Request) -> Settled {
    let location = request.answered().and_then(|answered| answered.location.clone());
    match client.status(&location.unwrap_or_default()).await.as_deref() {
        Some("done") => Settled::Done,
        Some("failed") => Settled::Failed,
        _ => Settled::Open,
    }
}
