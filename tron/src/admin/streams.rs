//! What is followed: activations and log lines, one per line, for as long as somebody reads.

use serde::Serialize;
use wire::Activation;
use wire::admin::Missed;
use wire::http::{Lines, Response};

use super::Api;
use crate::activations::{Follow, Recorded};
use crate::query::Query;

impl Api {
    pub(super) fn follow_activations(&self, query: Query) -> Response {
        self.stream(self.handle.follow(query.clone()), query, |_, activation| vec![activation])
    }

    pub(super) fn follow_logs(&self, query: Query) -> Response {
        let follow = self.handle.follow_logs(query.clone());
        self.stream(follow, query, |query, activation| query.entries(activation).collect())
    }

    /// Streams what `view` makes of each activation, until the reader leaves or Tron stops.
    fn stream<T>(&self, follow: Follow, query: Query, view: fn(&Query, Activation) -> Vec<T>) -> Response
    where
        T: Serialize + Send + Sync + 'static,
    {
        let (lines, response) = wire::http::lines();
        let stop = self.stop.clone();
        self.streams.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = lines.closed() => {}
                () = send(follow, &lines, |activation| view(&query, activation)) => {}
            }
        });
        response
    }
}

async fn send<T: Serialize + Sync>(mut follow: Follow, lines: &Lines, view: impl Fn(Activation) -> Vec<T>) {
    while let Some(recorded) = follow.next().await {
        let is_read = match recorded {
            Recorded::Activation(activation) => send_all(lines, &view(*activation)).await,
            Recorded::Missed(missed) => send_all(lines, &[Missed { missed }]).await,
        };
        if !is_read {
            return;
        }
    }
}

/// Sends each value as a line; `false` once nobody reads.
async fn send_all<T: Serialize + Sync>(lines: &Lines, values: &[T]) -> bool {
    for value in values {
        let Ok(line) = wire::encode_line(value) else { continue };
        if !lines.send(line).await {
            return false;
        }
    }
    true
}
