//! `Load`: an open loop. Requests are sent at a fixed rate, however long the answers take.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};
use uuid::Builder;

use super::client::{Client, Planned};
use super::clock::Clock;
use super::cluster::LEDGER;
use super::ledger::{Operation, Request};

/// What is asked for, in parts of the whole.
#[derive(Clone)]
pub(crate) struct Mix {
    pub(crate) operations: &'static [(Operation, u32)],
    /// How many of a hundred ask for a promise instead of an answer.
    pub(crate) asynchronous_percent: u32,
}

impl Mix {
    /// A request of it.
    pub(crate) fn draw(&self, random: &mut fastrand::Rng) -> Planned {
        let total: u32 = self.operations.iter().map(|(_, parts)| parts).sum();
        let mut drawn = random.u32(..total);
        let drawn = self.operations.iter().find(|(_, parts)| {
            let is_it = drawn < *parts;
            drawn = drawn.wrapping_sub(*parts);
            is_it
        });
        Planned {
            id: Builder::from_random_bytes(random.u128(..).to_be_bytes()).into_uuid(),
            base_path: LEDGER,
            operation: drawn.unwrap().0,
            asynchronous: random.u32(..100) < self.asynchronous_percent,
            frontend: random.usize(..2),
        }
    }
}

pub(crate) struct Load {
    stop: watch::Sender<()>,
    running: JoinHandle<Vec<Request>>,
}

impl Load {
    pub(crate) fn start(client: Arc<Client>, clock: Clock, rate: u32, mix: Mix, seed: u64) -> Self {
        let (stop, stopped) = watch::channel(());
        let random = fastrand::Rng::with_seed(seed);
        let arrivals = Arrivals { client, clock, period: Duration::from_secs(1) / rate, mix, random };
        Self { stop, running: tokio::spawn(arrivals.run(stopped)) }
    }

    /// Sends nothing more, and waits for what was sent.
    pub(crate) async fn finish(self) -> Vec<Request> {
        self.stop.send_replace(());
        self.running.await.unwrap()
    }
}

struct Arrivals {
    client: Arc<Client>,
    clock: Clock,
    period: Duration,
    mix: Mix,
    random: fastrand::Rng,
}

impl Arrivals {
    async fn run(mut self, mut stopped: watch::Receiver<()>) -> Vec<Request> {
        let mut arrivals = interval(self.period);
        // What a busy machine delays is sent nevertheless.
        arrivals.set_missed_tick_behavior(MissedTickBehavior::Burst);
        // Bounded by the rate and the client's patience.
        let mut sent = JoinSet::new();
        loop {
            tokio::select! {
                _ = arrivals.tick() => {}
                _ = stopped.changed() => return sent.join_all().await,
            }
            let (client, clock) = (self.client.clone(), self.clock);
            let planned = self.mix.draw(&mut self.random);
            sent.spawn(async move { send(&client, clock, planned).await });
        }
    }
}

/// Sends one request and writes down what came of it.
pub(crate) async fn send(client: &Client, clock: Clock, planned: Planned) -> Request {
    let at = clock.now();
    let (frontend, outcome) = client.send(&planned).await;
    let Planned { id, operation, asynchronous, .. } = planned;
    Request { id, operation, asynchronous, at, frontend, outcome, settled: None }
}
