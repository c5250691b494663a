//! `Watch`: looks at a pool all the time: what waits for it in the broker, who consumes, what runs, what is wanted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use wire::broker::{Heard, Listener, Topic};
use wire::{Broker, Heartbeat, decode_lines};

use super::super::clock::{Clock, until};
use super::curve::Curve;
use super::fleet::Fleet;
use super::scaled::Scaled;

/// Dropping it ends it.
pub(super) struct Watch {
    samples: Arc<Mutex<Vec<Sample>>>,
    _tasks: JoinSet<()>,
}

/// A pool at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) at: Duration,
    /// Messages that wait in the broker.
    pub(crate) waiting: usize,
    /// Runners that consume.
    pub(crate) serving: usize,
    /// What runs; none when nobody can say.
    pub(crate) fleet: Option<BTreeSet<String>>,
    /// What the leading Tron said last.
    pub(crate) word: Option<Word>,
}

/// How many runners are wanted, as the leading Tron says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    pub(crate) wanted: usize,
    pub(crate) at: Duration,
}

/// Often enough to tell tenths of a second.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Watch {
    pub(super) async fn start(scaled: &Scaled, clock: Clock) -> Self {
        let (samples, word) = (Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        let listener = Listener::open(scaled.broker.clone(), Topic::Heartbeats).await;
        tasks.spawn(listen(listener, clock, Arc::clone(&word)));
        let look =
            Look { broker: scaled.broker.clone(), queue: scaled.queue.clone(), fleet: scaled.fleet.clone() };
        tasks.spawn(look.run(clock, word, Arc::clone(&samples)));
        Self { samples, _tasks: tasks }
    }

    /// Waits until it looks like this, and says how it looked then.
    pub(super) async fn until(
        &self,
        what: &str,
        within: Duration,
        accept: impl Fn(&Sample) -> bool,
    ) -> Result<Sample> {
        let seen = || self.samples.lock().unwrap().last().filter(|sample| accept(sample)).cloned();
        let mut accepted = None;
        let waited = until(what, within, async || {
            accepted = seen();
            accepted.is_some()
        });
        if let Err(error) = waited.await {
            bail!("{error}: {}", self.curve().last().map(Sample::told).unwrap_or_default());
        }
        Ok(accepted.unwrap_or_default())
    }

    /// Everything that was seen.
    pub(super) fn curve(&self) -> Curve {
        Curve(self.samples.lock().unwrap().clone())
    }
}

impl Sample {
    /// How many run.
    pub(crate) fn running(&self) -> usize {
        self.fleet.as_ref().map_or(0, BTreeSet::len)
    }

    /// It in words.
    fn told(&self) -> String {
        let wanted = self.word.map(|word| word.wanted);
        let running = self.fleet.as_ref().map(BTreeSet::len);
        let Self { waiting, serving, .. } = self;
        format!("{waiting} calls wait, {serving} runners serve, {running:?} run, {wanted:?} are wanted")
    }

    /// Whether what is wanted is there, all of it serving, and nothing else.
    pub(crate) fn is_right(&self) -> bool {
        let (Some(word), Some(fleet)) = (self.word, &self.fleet) else { return false };
        word.wanted == fleet.len() && word.wanted == self.serving
    }
}

struct Look {
    broker: Arc<dyn Broker>,
    queue: String,
    fleet: Arc<Fleet>,
}

impl Look {
    async fn run(self, clock: Clock, word: Arc<Mutex<Option<Word>>>, samples: Arc<Mutex<Vec<Sample>>>) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let (depth, fleet) = tokio::join!(self.broker.depth(&self.queue), self.fleet.running());
            let Ok(depth) = depth else { continue };
            let word = *word.lock().unwrap();
            let sample = Sample {
                at: clock.now(),
                waiting: depth.ready,
                serving: depth.consumers,
                fleet: fleet.ok(),
                word,
            };
            samples.lock().unwrap().push(sample);
        }
    }
}

/// Keeps what the leading Tron says.
async fn listen(mut heartbeats: Listener, clock: Clock, word: Arc<Mutex<Option<Word>>>) {
    loop {
        let Heard::Payload(payload) = heartbeats.next().await else { continue };
        let heard = decode_lines::<Heartbeat>(&payload).unwrap_or_default();
        if let Some(pool) = heard.iter().find_map(|heartbeat| heartbeat.pools.first()) {
            *word.lock().unwrap() = Some(Word { wanted: pool.wanted, at: clock.now() });
        }
    }
}
