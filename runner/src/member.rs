//! `Member`: follows the assignment, loads what it asks for and says what it holds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use wire::broker::{Heard, Listener, Topic};
use wire::{
    Assignment, Broker, Chain, Control, FuncAssignment, Heartbeat, Labels, MemberId, Role, RunnerReport,
    Version, decode_lines,
};

use crate::Config;
use crate::cancels::{Cancels, Told};
use crate::capture::Missed;
use crate::deployed::Deployed;
use crate::loader::Loader;
use crate::loading::{Loaded, Loading};
use crate::observations::{self, Observations};
use crate::serving::Serving;
use crate::tallies::Tallies;

/// How often it tries again to load what it could not.
const RELOAD: Duration = Duration::from_secs(15);

/// How long the last heartbeat may take. One that is lost costs those who listen a few seconds.
const LEAVE_TIMEOUT: Duration = Duration::from_millis(500);

/// What a runner is to the others.
pub(crate) struct Member {
    id: MemberId,
    /// What it says of itself, without its Funcs.
    report: RunnerReport,
    broker: Arc<dyn Broker>,
    loader: Arc<Loader>,
    tallies: Arc<Tallies>,
    /// What captures missed.
    missed: Arc<Missed>,
    serving: watch::Sender<Arc<Serving>>,
    cancels: Told,
    observations: observations::Told,
    /// What is loaded, with what it was loaded from, whether that drains or not.
    loaded: HashMap<String, (FuncAssignment, Arc<Deployed>)>,
    /// What is to be served.
    assignment: Assignment,
    /// The version of the last assignment that was loaded to its end.
    held: u64,
    /// What could not be loaded of it.
    failed: BTreeMap<String, String>,
    loading: Option<Loading>,
    /// What has failed of what is being loaded.
    failing: BTreeMap<String, String>,
}

impl Member {
    pub(crate) fn new(config: &Config, broker: Arc<dyn Broker>, loader: Loader, missed: Arc<Missed>) -> Self {
        Self {
            id: config.member.clone(),
            report: report(config),
            broker,
            loader: Arc::new(loader),
            tallies: config.metrics.tallies(),
            missed,
            serving: watch::Sender::default(),
            cancels: Told::default(),
            observations: observations::Told::default(),
            loaded: HashMap::new(),
            assignment: Assignment { v: Version, version: 0, funcs: Vec::new() },
            held: 0,
            failed: BTreeMap::new(),
            loading: None,
            failing: BTreeMap::new(),
        }
    }

    /// What the workers are to serve, now and whenever it changes.
    pub(crate) fn serving(&self) -> watch::Receiver<Arc<Serving>> {
        self.serving.subscribe()
    }

    /// The calls that are to be cancelled, now and whenever that changes.
    pub(crate) fn cancels(&self) -> Cancels {
        self.cancels.cancels()
    }

    /// What is wanted of calls, now and whenever that changes.
    pub(crate) fn observations(&self) -> Observations {
        self.observations.observations()
    }

    /// Follows the assignment until `shutdown`, whatever the broker does.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let listening = Listener::open(self.broker.clone(), Topic::Control);
        let Some(mut control) = shutdown.run_until_cancelled(listening).await else { return };
        let mut heartbeat = wire::ticks(Heartbeat::INTERVAL);
        let mut reload = wire::ticks(RELOAD);
        loop {
            tokio::select! {
                // Before the workers have drained: nobody is to count on it any more.
                () = shutdown.cancelled() => return self.leave().await,
                _ = heartbeat.tick() => self.beat().await,
                _ = reload.tick() => if self.loading.is_none() && !self.failed.is_empty() { self.load() },
                loaded = next(&mut self.loading) => self.take(loaded).await,
                heard = control.next() => match heard {
                    Heard::Payload(payload) => match decode_lines(&payload) {
                        Ok(messages) => messages.into_iter().for_each(|message| self.hear(message)),
                        Err(error) => warn!(error = %Chain(&error), "control message cannot be read"),
                    },
                    // The next heartbeat shows that we are behind, and we are told everything again.
                    Heard::Missed(count) => warn!(count, "control messages missed"),
                },
            }
        }
    }

    fn hear(&mut self, message: Control) {
        match message {
            Control::Assignment(assignment) => self.follow(assignment),
            Control::Cancel { activations, .. } => self.cancels.replace(activations),
            Control::Observation(observation) => self.observations.replace(observation),
            Control::Routes { .. } => {}
        }
    }

    fn follow(&mut self, mut assignment: Assignment) {
        assignment.funcs.retain(|func| self.is_ours(func));
        let funcs = assignment.funcs.len();
        if self.report.funcs_max.is_some_and(|max| funcs > max) {
            // By a Tron that has not heard of us yet. Our next heartbeat puts it right.
            return debug!(funcs, "assignment of more than fits in passed over");
        }
        if self.is_news(&assignment) {
            self.assignment = assignment;
            self.load();
        }
    }

    fn is_ours(&self, func: &FuncAssignment) -> bool {
        self.report.labels.include(&func.placement) && func.on.as_ref().is_none_or(|on| on.contains(&self.id))
    }

    /// Within a version, what is being drained changes, and Trons may differ about it for a moment.
    fn is_news(&self, assignment: &Assignment) -> bool {
        let held = &self.assignment;
        assignment.version > held.version
            || (assignment.version == held.version && assignment.funcs != held.funcs)
    }

    /// Begins to bring what is loaded in line with the assignment; whatever was being loaded is superseded.
    /// A Func that changes is served as it was until the new one is there.
    fn load(&mut self) {
        self.failing.clear();
        let queues: HashSet<&str> = self.assignment.funcs.iter().map(|func| func.queue.as_str()).collect();
        self.loaded.retain(|queue, _| queues.contains(queue.as_str()));
        for func in &self.assignment.funcs {
            let Some((_, deployed)) = self.loaded.get(&func.queue) else { continue };
            deployed.mirror_to(&func.mirrors);
            if func.draining {
                deployed.draining.store(true, Ordering::Relaxed);
            }
        }
        let missing = self.missing().cloned().collect();
        self.loading = Some(Loading::start(self.loader.clone(), self.broker.clone(), missing));
        self.serve();
    }

    fn missing(&self) -> impl Iterator<Item = &FuncAssignment> {
        let is_loaded = |func: &FuncAssignment| {
            self.loaded.get(&func.queue).is_some_and(|(loaded, deployed)| {
                // One that drained and is wanted again may have lost its queue: it is loaded like a new one.
                *loaded == source(func) && (func.draining || !deployed.is_draining())
            })
        };
        self.assignment.funcs.iter().filter(move |func| !is_loaded(func))
    }

    /// Serves what was loaded, and says so when it was the last.
    async fn take(&mut self, loaded: Vec<Loaded>) {
        let ended = loaded.is_empty();
        for Loaded { func, result } in loaded {
            let queue = func.queue.clone();
            match result {
                Ok(deployed) => _ = self.loaded.insert(queue, (source(&func), deployed)),
                Err(reason) => {
                    self.loaded.remove(&queue);
                    self.failing.insert(queue, reason);
                }
            }
        }
        if ended {
            self.end_load();
        }
        self.serve();
        if ended {
            self.beat().await;
        }
    }

    fn end_load(&mut self) {
        self.loading = None;
        self.held = self.assignment.version;
        let mut failed = std::mem::take(&mut self.failing);
        for func in self.missing() {
            // Only a panic leaves one out.
            failed.entry(func.queue.clone()).or_insert_with(|| "loading it broke off".to_owned());
        }
        self.failed = failed;
    }

    fn serve(&self) {
        let funcs = self.loaded.iter().map(|(queue, (_, deployed))| (queue.clone(), deployed.clone()));
        let serving = Serving { funcs: funcs.collect(), complete: self.held > 0 };
        self.serving.send_replace(Arc::new(serving));
    }

    async fn beat(&self) {
        self.heartbeat().send(&*self.broker).await;
    }

    async fn leave(&self) {
        let last = Heartbeat { leaving: true, ..self.heartbeat() };
        // A broker that does not answer must not keep the workers from draining.
        if timeout(LEAVE_TIMEOUT, last.send(&*self.broker)).await.is_err() {
            warn!("the last heartbeat was not sent in time");
        }
    }

    fn heartbeat(&self) -> Heartbeat {
        Heartbeat {
            failed: self.failed.clone(),
            runner: Some(RunnerReport {
                cpu_us: cpu_us(),
                funcs: self.tallies.busy(Instant::now()),
                captures: self.missed.counts(),
                ..self.report.clone()
            }),
            ..Heartbeat::now(self.id.clone(), Role::Runner, self.held)
        }
    }
}

/// What this process has used of processors.
fn cpu_us() -> u64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    // It is never negative.
    let [seconds, nanos] = [used.tv_sec, used.tv_nsec].map(|part| u64::try_from(part).unwrap_or_default());
    seconds * 1_000_000 + nanos / 1_000
}

fn report(config: &Config) -> RunnerReport {
    RunnerReport {
        pool: config.pool.clone(),
        instance: config.instance.clone(),
        labels: config.labels.clone(),
        threads: config.threads,
        slots: config.threads.saturating_mul(config.slots),
        funcs_max: config.funcs_max,
        ..RunnerReport::default()
    }
}

/// What a Func is loaded from, whoever else runs it, whether it drains or not, and whoever gets copies of its calls.
fn source(func: &FuncAssignment) -> FuncAssignment {
    FuncAssignment {
        placement: Labels::default(),
        on: None,
        draining: false,
        mirrors: Vec::new(),
        ..func.clone()
    }
}

/// What was loaded meanwhile, for as long as something is being loaded.
async fn next(loading: &mut Option<Loading>) -> Vec<Loaded> {
    match loading {
        Some(loading) => loading.next().await,
        None => std::future::pending().await,
    }
}
