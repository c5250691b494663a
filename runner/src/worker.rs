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
use crate::cancels::Cancels;
use crate::capture::Captures;
use crate::consumption::Consumption;
use crate::deployed::Deployed;
use crate::handling::Hands;
use crate::mirroring::Mirroring;
use crate::observations::Observations;
use crate::outbox::Outbox;
use crate::records::Records;
use crate::retries::Retries;
use crate::serving::Serving;
use crate::slots::Slots;

/// How many tasks run before the event loop looks at its timers and sockets. Guests that compute run
/// for a tick of the engine each; with tokio's own 61, thirty of them would hold up deadlines by 0.3 s.
const EVENT_INTERVAL: u32 = 8;

/// A thread that runs Funcs.
pub(crate) struct Worker {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) serving: watch::Receiver<Arc<Serving>>,
    pub(crate) captures: Captures,
    pub(crate) cancels: Cancels,
    pub(crate) observations: Observations,
    /// Whether it also tries the calls that are tried alone: one thread of a runner does.
    pub(crate) tries_alone: bool,
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
        let (mirroring, sending) = Mirroring::new(self.broker.clone());
        let hands = Arc::new(Hands {
            outbox: Outbox::new(self.broker.clone()),
            records,
            captures: self.captures.clone(),
            mirroring,
            cancels: self.cancels.clone(),
            observations: self.observations.clone(),
            member: config.member.clone(),
            tracer: config.tracer.clone(),
            call_timeout: config.call_timeout,
            attempts_max: config.attempts_max,
            slots: Arc::new(Slots::new(config.slots)),
        });
        let prefetch = u16::try_from(config.slots).unwrap_or(u16::MAX);
        let drain_timeout = config.drain_timeout;
        std::thread::Builder::new().name(name).spawn(move || {
            runtime.block_on(async {
                tokio::join!(self.run(hands, prefetch, drain_timeout), broadcasting, sending);
            });
        })
    }

    async fn run(mut self, hands: Arc<Hands>, prefetch: u16, drain_timeout: Duration) {
        let mut running: HashMap<String, Running> = HashMap::new();
        let mut consumptions = JoinSet::new();
        if self.tries_alone {
            let (broker, serving) = (self.broker.clone(), self.serving.clone());
            let retries = Retries { broker, hands: hands.clone(), serving };
            consumptions.spawn(retries.run(self.shutdown.clone()));
        }
        loop {
            let serving = self.serving.borrow_and_update().clone();
            running.retain(|queue, running| {
                let kept = serving.funcs.get(queue).is_some_and(|now| Arc::ptr_eq(now, &running.deployed));
                if !kept {
                    running.stop.cancel();
                }
                kept
            });
            for (queue, deployed) in &serving.funcs {
                if !running.contains_key(queue) {
                    let (deployed, stop) = (deployed.clone(), CancellationToken::new());
                    let consumption =
                        Consumption::new(self.broker.clone(), hands.clone(), deployed.clone(), prefetch);
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
