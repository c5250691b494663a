//! `Play`: one scene on a cluster whose runners Tron starts and stops, from the first request to the ledger.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::task::JoinSet;

use super::super::checker::{Limits, Verdict};
use super::super::client::Client;
use super::super::clock::{Clock, until};
use super::super::expectation;
use super::super::ledger::{Fault, Ledger, Request};
use super::super::load::{Load, send};
use super::super::promises;
use super::super::stage::{self, PATIENCE, REST, Report};
use super::curve::Growth;
use super::pool::{DRAIN_TIMEOUT, Pool, STABLE_WINDOW};
use super::scaled::{CALL_TIMEOUT, Scaled};
use super::scene::Scene;
use super::watch::{Sample, Watch};

const LIMITS: Limits = Limits { deadline: CALL_TIMEOUT, attempts_max: 3 };
/// The normal load before anything happens.
const BEFORE: Duration = Duration::from_secs(4);
/// Longer than a pool takes to grow and to work off what came meanwhile.
const BURST: Duration = Duration::from_secs(12);
/// How many times the normal load a burst is.
const TIMES: u32 = 10;
/// How soon after the first message waits in the broker there has to be one more runner; one more has to serve when
/// the time that all of them take to start is over as well.
const ORDER_MAX: Duration = Duration::from_secs(3);
/// How soon after a fault everything that is wanted has to serve.
const RIGHT_MAX: Duration = Duration::from_secs(30);
/// How soon after the load a pool has to be back at its minimum.
const SHRINK_MAX: Duration = Duration::from_secs(STABLE_WINDOW.as_secs() + DRAIN_TIMEOUT.as_secs() + 10);
/// Calls at once to no runner at all.
const CROWD: usize = 500;
/// What a Tron logs that has decided otherwise than before.
const DECIDED: &str = "pool to be scaled";

pub(super) async fn perform(scene: Scene, scaled: &mut Scaled, rate: u32, seed: u64) -> Result<Report> {
    scaled.keep(scene.pool()).await?;
    let clock = Clock::start();
    scaled.cluster.sink.begin(clock, seed);
    let client = Client::new(&scaled.cluster.frontends, clock, CALL_TIMEOUT + PATIENCE);
    let watch = Watch::start(scaled, clock).await;
    let mut play = Play {
        scene,
        scaled,
        client: Arc::new(client),
        clock,
        watch,
        rate,
        seed,
        requests: Vec::new(),
        faults: Vec::new(),
        figures: Vec::new(),
        complaints: Vec::new(),
    };
    play.act().await?;
    play.report().await
}

struct Play<'a> {
    scene: Scene,
    scaled: &'a Scaled,
    client: Arc<Client>,
    clock: Clock,
    watch: Watch,
    /// Requests per second in a burst.
    rate: u32,
    seed: u64,
    requests: Vec<Request>,
    faults: Vec<Fault>,
    figures: Vec<String>,
    complaints: Vec<String>,
}

impl Play<'_> {
    async fn act(&mut self) -> Result<()> {
        match self.scene {
            Scene::Burst => self.burst().await,
            Scene::Zero => self.zero().await,
            Scene::KillTron | Scene::KillRunner | Scene::KillEngine => self.kill().await,
            Scene::Replace => self.replace().await,
            Scene::Shrink => self.shrink().await,
        }
    }

    async fn burst(&mut self) -> Result<()> {
        let normal = self.load(self.rate / TIMES);
        self.clock.reach(BEFORE).await;
        let burst = self.load(self.rate - self.rate / TIMES);
        self.clock.reach(BEFORE + BURST).await;
        self.finish(burst).await;
        self.shrinks_to(1, BEFORE + BURST).await;
        self.finish(normal).await;
        let growth = self.watch.curve().growth(BEFORE);
        self.judge(growth);
        Ok(())
    }

    fn judge(&mut self, growth: Growth) {
        let start = self.scaled.start.unwrap_or_default();
        let Growth { order, serving, drained, waiting_max, runners_max, serving_max } = growth;
        self.figures.push(format!(
            "first message waits -> more runners {} -> more serve {} (one alone: {}); nothing waits {} after the first; \
             at most {waiting_max} waited, {runners_max} ran, {serving_max} served",
            told(order), told(serving), told(Some(start)), told(drained),
        ));
        self.expect(order.is_some_and(|order| order <= ORDER_MAX), "no more runners in time");
        let served = order.zip(serving).map(|(order, serving)| order + serving);
        // They all start at once, and share what processors there are.
        let starts = start * u32::try_from(runners_max).unwrap_or(u32::MAX);
        self.expect(served.is_some_and(|served| served <= ORDER_MAX + starts), "no more served in time");
        self.expect(drained.is_some(), "the backlog was not worked off");
    }

    async fn zero(&mut self) -> Result<()> {
        let mix = self.scene.mix();
        let mut random = fastrand::Rng::with_seed(self.seed);
        let begun = self.clock.now();
        let mut alone = mix.draw(&mut random);
        alone.asynchronous = true;
        let mut promised = [send(&self.client, self.clock, alone).await];
        promises::settle(&self.client, &mut promised, REST).await;
        self.figures.push(format!("a promised call was done after {}", told(Some(self.clock.now() - begun))));
        self.requests.extend(promised);
        self.shrinks_to(0, self.clock.now()).await;

        let begun = self.clock.now();
        let mut crowd = JoinSet::new();
        for _ in 0..CROWD {
            let (client, clock, planned) = (self.client.clone(), self.clock, mix.draw(&mut random));
            crowd.spawn(async move { send(&client, clock, planned).await });
        }
        let answered = crowd.join_all().await;
        let ok = answered.iter().filter(|request| request.succeeded()).count();
        let slowest = answered.iter().filter_map(Request::latency).max();
        let Growth { runners_max, .. } = self.watch.curve().growth(begun);
        self.figures.push(format!(
            "{ok} of {CROWD} answered well, the last after {}; {runners_max} runners",
            told(slowest)
        ));
        self.requests.extend(answered);
        self.shrinks_to(0, self.clock.now()).await;
        Ok(())
    }

    async fn kill(&mut self) -> Result<()> {
        let normal = self.load(self.rate / TIMES);
        self.clock.reach(BEFORE).await;
        // What was decided before is not what we wait for.
        self.scaled.cluster.members.who_said("tron", DECIDED);
        let burst = self.load(self.rate - self.rate / TIMES);
        let struck = self.strike().await?;
        let right = self.watch.until("what is wanted serves after a fault", RIGHT_MAX, |sample| {
            let is_news = sample.word.is_some_and(|word| word.at > struck);
            is_news && sample.is_right() && sample.running() > 1
        });
        match right.await {
            Ok(sample) => self.figures.push(format!(
                "{} after the fault all of {} runners serve",
                told(Some(sample.at.saturating_sub(struck))),
                sample.serving
            )),
            Err(error) => self.complaints.push(format!("{error:#}")),
        }
        self.finish(burst).await;
        self.shrinks_to(1, self.clock.now()).await;
        self.finish(normal).await;
        Ok(())
    }

    /// Waits until a Tron has decided, and strikes then; when that was done.
    async fn strike(&mut self) -> Result<Duration> {
        let members = &self.scaled.cluster.members;
        let mut leader = None;
        until("a Tron decides to grow the pool", RIGHT_MAX, async || {
            leader = members.who_said("tron", DECIDED);
            leader.is_some()
        })
        .await?;
        let leader = leader.context("nobody leads")?;
        let start = self.clock.now();
        let what = match self.scene {
            Scene::KillTron => {
                members.signal(&leader, Signal::KILL)?;
                leader
            }
            Scene::KillEngine => {
                self.scaled.fleet.kill_engine().await?;
                "the engine".to_owned()
            }
            _ => {
                let first = self.before(start).and_then(|sample| sample.fleet?.first().cloned());
                let first = first.context("there was no runner")?;
                self.scaled.fleet.kill(&first).await?;
                format!("runner {first}")
            }
        };
        let end = self.clock.now();
        self.faults.push(Fault { what: format!("{what} was killed"), start, end, killed_frontend: None });
        Ok(start)
    }

    async fn replace(&mut self) -> Result<()> {
        let load = self.load(self.rate / 4);
        self.clock.reach(BEFORE).await;
        let start = self.clock.now();
        let before = self.before(start).and_then(|sample| sample.fleet).unwrap_or_default();
        let pool = self.scene.pool();
        self.scaled.write(Pool { pids_max: pool.pids_max + 1, ..pool })?;
        self.scaled.restart_trons().await?;
        let restarted = self.clock.now();
        let replaced = self.watch.until("every runner is another one", RIGHT_MAX, |sample| {
            sample.is_right() && sample.fleet.as_ref().is_some_and(|fleet| fleet.is_disjoint(&before))
        });
        match replaced.await {
            Ok(sample) => self.figures.push(format!(
                "{} after both Trons were restarted all of {} runners are others",
                told(Some(sample.at.saturating_sub(restarted))),
                sample.serving
            )),
            Err(error) => self.complaints.push(format!("{error:#}")),
        }
        let end = self.clock.now();
        let what = format!("{} runners were replaced", before.len());
        self.faults.push(Fault { what, start, end, killed_frontend: None });
        self.clock.reach(end + BEFORE).await;
        self.finish(load).await;
        Ok(())
    }

    async fn shrink(&mut self) -> Result<()> {
        let third = self.load(self.rate / 3);
        let burst = self.load(self.rate - self.rate / 3);
        self.clock.reach(BURST).await;
        self.finish(burst).await;
        let Growth { runners_max, .. } = self.watch.curve().growth(Duration::ZERO);
        self.expect(runners_max > 4, "the pool did not grow");
        let from = self.clock.now();
        let shrunk = self.watch.until("half of the runners have left", SHRINK_MAX, |sample| {
            sample.is_right() && sample.running() <= runners_max / 2
        });
        match shrunk.await {
            Ok(sample) => self.figures.push(format!(
                "{} after the burst {} of {runners_max} runners are left",
                told(Some(sample.at.saturating_sub(from))),
                sample.running()
            )),
            Err(error) => self.complaints.push(format!("{error:#}")),
        }
        self.finish(third).await;
        Ok(())
    }

    /// Waits until the pool is at this many runners again, all of them serving, and nothing else runs.
    async fn shrinks_to(&mut self, runners: usize, from: Duration) {
        let shrunk = self.watch.until("the pool is at its minimum again", SHRINK_MAX, |sample| {
            sample.is_right() && sample.running() == runners && sample.at > from
        });
        match shrunk.await {
            Ok(sample) => self.figures.push(format!(
                "{} after the load {runners} runners are left",
                told(Some(sample.at.saturating_sub(from)))
            )),
            Err(error) => self.complaints.push(format!("{error:#}")),
        }
    }

    /// How it looked last before this moment.
    fn before(&self, at: Duration) -> Option<Sample> {
        self.watch.curve().0.into_iter().take_while(|sample| sample.at < at).last()
    }

    /// Starts so many requests per second; those of each load are drawn anew.
    fn load(&mut self, rate: u32) -> Load {
        self.seed = self.seed.wrapping_add(1);
        Load::start(self.client.clone(), self.clock, rate.max(1), self.scene.mix(), self.seed)
    }

    async fn finish(&mut self, load: Load) {
        self.requests.extend(load.finish().await);
    }

    fn expect(&mut self, is_so: bool, otherwise: &str) {
        if !is_so {
            self.complaints.push(otherwise.to_owned());
        }
    }

    /// Waits for rest, and compares.
    async fn report(self) -> Result<Report> {
        let Self { scene, scaled, client, clock, mut requests, faults, figures, mut complaints, .. } = self;
        let end = clock.now();
        promises::settle(&client, &mut requests, REST).await;
        let ledger = Ledger { requests, faults, end, ..Ledger::default() };
        let ledger = stage::close(&scaled.cluster, ledger).await?;
        complaints.extend(expectation::complaints(scene.spared(), &ledger));
        let (name, verdict) = (scene.name(scaled.fleet.kind), Verdict::of(&ledger, LIMITS));
        Ok(Report { name, verdict, complaints, faults: ledger.faults, figures })
    }
}

/// Seconds, for people.
fn told(time: Option<Duration>) -> String {
    time.map_or("never".to_owned(), |time| format!("{:.1}s", time.as_secs_f64()))
}
