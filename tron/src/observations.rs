//! `Observations`: what operators want to see of routes for a while. Whole, in a log of its own; runners are told of
//! each change at once, and again every second.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::broker::Topic;
use wire::{Broker, Chain, Control, Observation, Store, Timestamp, store};

use crate::Rejection;

/// Others would have to win this often in a row before a change is given up.
const ATTEMPTS_MAX: usize = 16;

/// A runner that lost the last message, or has just come, follows within this time.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

/// What operators want to see. Every change is a put-if-absent of the next entry: several Trons may write.
pub(crate) struct Observations {
    store: Store,
    broker: Arc<dyn Broker>,
    head: watch::Sender<Head>,
    loaded: OnceCell<()>,
    /// The newest version that somebody else told of.
    heard: watch::Sender<u64>,
}

/// How far the log was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// The number of the last entry, readable or not.
    last: u64,
    /// The last readable entry; what has expired is still in it.
    pub(crate) observation: Arc<Observation>,
}

impl Observations {
    /// A log that was not read yet; the first use reads it.
    pub(crate) fn new(store: Store, broker: Arc<dyn Broker>) -> Self {
        let (head, _) = watch::channel(Head::default());
        let (heard, _) = watch::channel(0);
        Self { store, broker, head, loaded: OnceCell::new(), heard }
    }

    /// Tells runners, and follows what other Trons write, until shutdown.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut heard = self.heard.subscribe();
        let mut ticks = wire::ticks(TELL_INTERVAL);
        loop {
            let outcome = tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => self.load().await,
                // The sender is our own.
                Ok(()) = heard.changed() => self.refresh().await,
            };
            match outcome {
                Ok(()) => self.tell().await,
                Err(error) => warn!(error = %Chain(&error), "what is observed cannot be read, trying again"),
            }
        }
    }

    /// Somebody told of this version.
    pub(crate) fn hear(&self, version: u64) {
        if version > self.head.borrow().last {
            self.heard.send_replace(version);
        }
    }

    /// What is observed, as it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// What is observed now.
    pub(crate) async fn current(&self) -> Result<Observation, store::Error> {
        self.load().await?;
        Ok(self.head.borrow().current())
    }

    /// Changes what is observed: decides, appends, and decides anew whenever somebody else was first.
    pub(crate) async fn change(
        &self,
        decide: impl Fn(&mut Observation) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        for _ in 0..ATTEMPTS_MAX {
            // Old entries go, so that a number that is free may be one that was taken long ago: ours is always
            // behind what was just read.
            self.refresh().await?;
            let Head { last, .. } = *self.head.borrow();
            let mut next = self.head.borrow().current();
            decide(&mut next)?;
            next.version = last + 1;
            if self.store.append_observation(&next).await? {
                self.advance(next.version, Some(next));
                self.tell().await;
                return Ok(());
            }
        }
        Err(Rejection::Contended)
    }

    async fn load(&self) -> Result<(), store::Error> {
        self.loaded.get_or_try_init(|| self.refresh()).await.map(drop)
    }

    /// Reads what others appended.
    async fn refresh(&self) -> Result<(), store::Error> {
        let (last, observation) = self.store.last_observation().await?;
        self.advance(last, observation);
        Ok(())
    }

    fn advance(&self, last: u64, observation: Option<Observation>) {
        self.head.send_if_modified(|head| {
            if last <= head.last {
                return false;
            }
            head.last = last;
            if let Some(observation) = observation {
                // The number is the place in the log, whatever else an entry may say.
                head.observation = Arc::new(Observation { version: last, ..observation });
            }
            true
        });
    }

    /// Tells runners what is observed; nothing before the first time that anybody asked for something.
    async fn tell(&self) {
        let current = self.head.borrow().current();
        if current.version == 0 {
            return;
        }
        // Texts and numbers: it can always be written.
        let line = wire::encode_line(&Control::Observation(current)).unwrap_or_default();
        if let Err(error) = self.broker.broadcast(Topic::Control, line).await {
            warn!(%error, "runners not told what is observed, trying again");
        }
    }
}

impl Head {
    /// What has not expired.
    fn current(&self) -> Observation {
        let now = Timestamp::now();
        let Observation { v, version, captures, levels } = &*self.observation;
        Observation {
            v: *v,
            version: *version,
            captures: captures.iter().filter(|capture| capture.until > now).cloned().collect(),
            levels: levels.iter().filter(|level| level.until > now).cloned().collect(),
        }
    }
}
