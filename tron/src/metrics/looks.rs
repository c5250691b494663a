//! `Looks`: what queues hold that nobody else looks at: those that all Funcs share, and dead letters.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use wire::Broker;
use wire::admin::Deployment;
use wire::broker::{self, CALLBACKS, DEAD_REQUESTS, DEAD_RESULTS, REQUESTS, RESULTS, RETRIES, dead_letters};

use crate::round::Round;

const SHARED: [&str; 6] = [REQUESTS, RETRIES, RESULTS, CALLBACKS, DEAD_REQUESTS, DEAD_RESULTS];

/// Dead letters that are looked at each time somebody asks, the others the next times. Each look costs the broker
/// some tens of microseconds.
const LOOKS_MAX: usize = 256;

/// How long whoever asks waits for a broker that is slow: he mostly gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// What such queues held when they were last looked at.
#[derive(Debug)]
pub(crate) struct Looks(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    turns: Round,
    messages: BTreeMap<String, usize>,
}

impl Default for Looks {
    fn default() -> Self {
        Self(Mutex::new(Seen { turns: Round::new(LOOKS_MAX), messages: BTreeMap::new() }))
    }
}

impl Looks {
    /// Looks at them, at as many as there is time for. One look after the other: whoever declares a queue or begins to
    /// consume asks the broker by the same channel.
    pub(crate) async fn look(&self, broker: &dyn Broker, state: &Deployment) -> BTreeMap<String, usize> {
        // Held while the broker is asked: whoever else asks meanwhile gets the same.
        let mut seen = self.0.lock().await;
        let Seen { turns, messages } = &mut *seen;
        let dead: Vec<String> = state.routes.iter().map(|route| dead_letters(&route.id)).collect();
        let all: BTreeSet<&str> = SHARED.into_iter().chain(dead.iter().map(String::as_str)).collect();
        messages.retain(|queue, _| all.contains(queue.as_str()));
        let until = Instant::now() + PATIENCE;
        for queue in SHARED.into_iter().chain(turns.next(&dead).iter().map(String::as_str)) {
            match timeout_at(until, broker.depth(queue)).await {
                Ok(Ok(depth)) => _ = messages.insert(queue.to_owned(), depth.ready),
                // It comes with the first message, or the first call.
                Ok(Err(broker::Error::Unroutable(_))) => _ = messages.insert(queue.to_owned(), 0),
                // Of a broker that does not say, what it said last is told.
                Ok(Err(_)) | Err(_) => break,
            }
        }
        messages.clone()
    }
}
