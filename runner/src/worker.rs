//! `Worker`: a thread with an event loop of its own, which consumes every Func's queue.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::Broker;

use crate::Config;
use crate::consumption::{Consumption, Hands};
use crate::deployed::Deployed;
use crate::records::Records;
use crate::slots::Slots;

/// How many tasks run before the event loop looks at its timers and sockets. Guests that compute run
/// for a tick of the engine each; with tokio's own 61, thirty of them would hold up deadlines by 0.3 s.
const EVENT_INTERVAL: u32 = 8;

/// The Funcs to serve, by queue.
pub(crate) type Serving = Arc<HashMap<String, Arc<Deployed>>>;

/// A thread that runs Funcs.
pub(crate) struct Worker {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) serving: watch::Receiver<Serving>,
    pub(crate) shutdown: CancellationToken,
}

/// What is being consumed, and how to stop that.
struct Running {
    deployed: Arc<Deployed>,
    stop: CancellationToken,
}

impl Worker {
    /// Starts the thread. It ends after `shutdown`, when its calls are done or their time is up.
    pub(crate) fn spawn(self, name: String, config: &Config) -> io::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .event_interval(EVENT_INTERVAL)
            .global_queue_interval(EVENT_INTERVAL)
            .build()?;
        let (records, broadcasting) = Records::new(self.broker.clone());
        let hands = Arc::new(Hands {
            broker: self.broker.clone(),
            records,
            member: config.member.clone(),
            call_timeout: config.call_timeout,
            prefetch: u16::try_from(config.slots).unwrap_or(u16::MAX),
            slots: Arc::new(Slots::new(config.slots)),
        });
        let drain_timeout = config.drain_timeout;
        std::thread::Builder::new().name(name).spawn(move || {
            runtime.block_on(async {
                tokio::join!(self.run(hands, drain_timeout), broadcasting);
            });
        })
    }

    async fn run(mut self, hands: Arc<Hands>, drain_timeout: Duration) {
        let mut running: HashMap<String, Running> = HashMap::new();
        let mut consumptions = JoinSet::new();
        loop {
            let serving = self.serving.borrow_and_update().clone();
            running.retain(|queue, running| {
                let kept = serving.get(queue).is_some_and(|now| Arc::ptr_eq(now, &running.deployed));
                if !kept {
                    running.stop.cancel();
                }
                kept
            });
            for (queue, deployed) in &*serving {
                if !running.contains_key(queue) {
                    let (deployed, stop) = (deployed.clone(), CancellationToken::new());
                    let consumption = Consumption::new(hands.clone(), deployed.clone());
                    consumptions.spawn(consumption.run(stop.clone()));
                    running.insert(queue.clone(), Running { deployed, stop });
                }
            }
            tokio::select! {
                () = self.shutdown.cancelled() => break,
                changed = self.serving.changed() => if changed.is_err() { break },
                Some(_) = consumptions.join_next() => {}
            }
        }
        running.values().for_each(|running| running.stop.cancel());
        let drained = async { while consumptions.join_next().await.is_some() {} };
        if tokio::time::timeout(drain_timeout, drained).await.is_err() {
            warn!(left = consumptions.len(), "calls given up: they did not end in time");
        }
    }
}
