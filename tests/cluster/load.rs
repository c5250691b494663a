//! `Load`: clients that call all the time, and what they were answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use harness::{Client, PATIENCE, Reply};

/// Between two looks at how far the clients have come.
const PAUSE: Duration = Duration::from_millis(5);

/// Clients that call all the time. Each waits for its answer before it calls again.
pub(crate) struct Load {
    clients: Vec<JoinHandle<Vec<Reply>>>,
    answered: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Load {
    /// Every client gets this path until the load ends.
    pub(crate) fn start(clients: &[Client], path: &'static str) -> Self {
        Self::start_on(clients, move |_call| path.to_owned())
    }

    /// Every client gets the path of its first call, of its second and so on until the load ends.
    pub(crate) fn start_on(
        clients: &[Client],
        path: impl Fn(usize) -> String + Clone + Send + 'static,
    ) -> Self {
        let (answered, stop) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let start = |client: &Client| {
            let (client, path) = (client.clone(), path.clone());
            let (answered, stop) = (answered.clone(), stop.clone());
            thread::spawn(move || {
                let mut replies = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    replies.push(client.get(&path(replies.len())));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                replies
            })
        };
        Self { clients: clients.iter().map(start).collect(), answered, stop }
    }

    /// Waits until this many more calls are answered.
    #[track_caller]
    pub(crate) fn goes_on_for(&self, calls: usize) {
        let enough = self.answered.load(Ordering::Relaxed) + calls;
        let begun = Instant::now();
        while self.answered.load(Ordering::Relaxed) < enough {
            assert!(begun.elapsed() < PATIENCE, "calls are not answered any more");
            thread::park_timeout(PAUSE);
        }
    }

    /// Ends it; what was answered, client by client.
    pub(crate) fn end(self) -> Vec<Reply> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    }
}

/// Fails with the first answer that is not 200.
#[track_caller]
pub(crate) fn assert_all_well(replies: &[Reply]) {
    let failed: Vec<_> = replies.iter().filter(|reply| reply.status != 200).collect();
    let first = failed.first().map(|reply| reply.text());
    assert!(failed.is_empty(), "{} of {} calls failed: {first:?}", failed.len(), replies.len());
}
