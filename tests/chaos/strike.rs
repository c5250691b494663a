//! `Strike`: how the fault of a run is made.

use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use uuid::Builder;

use super::client::{Client, Planned};
use super::clock::Clock;
use super::cluster::{Cluster, LEDGER};
use super::ledger::{Fault, Operation, Request};
use super::load::send;
use super::proxy::Weather;
use super::run::Run;

pub(crate) struct Strike<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) client: &'a Client,
    pub(crate) clock: Clock,
    pub(crate) random: fastrand::Rng,
    pub(crate) faults: Vec<Fault>,
    /// Requests of its own, beside those of the load.
    pub(crate) requests: Vec<Request>,
}

/// Where the Func is served that ends its runner on every call.
const CRASHER: &str = "/crasher";
/// How often it is called.
const CRASHES: usize = 3;
/// Between two calls of it. Whatever was cut off by one is done by then: for its last attempt a call has
/// nobody beside it who was cut off before, but whoever comes new.
const BETWEEN_POISONS: Duration = Duration::from_secs(8);
/// How long a link is bad that carries something nevertheless.
const BAD_FOR: Duration = Duration::from_secs(5);
/// Longer than the broker or a member waits for the other's heartbeat.
const FROZEN_FOR: Duration = Duration::from_secs(20);
const BETWEEN: Duration = Duration::from_secs(3);

impl Strike<'_> {
    pub(crate) async fn make(&mut self, run: Run) -> Result<()> {
        match run {
            Run::KillFrontend => self.end(&["frontend-0"], Signal::KILL).await,
            Run::KillTrons => self.end(&["tron-0", "tron-1"], Signal::KILL).await,
            Run::KillTron => self.end_in_turn(["tron-0", "tron-1"], Signal::KILL).await,
            Run::KillRunner => self.end_in_turn(["runner-0", "runner-1"], Signal::KILL).await,
            Run::TermFrontend => self.end(&["frontend-0"], Signal::TERM).await,
            Run::TermTron => self.end_in_turn(["tron-0", "tron-1"], Signal::TERM).await,
            Run::TermRunner => self.end_in_turn(["runner-0", "runner-1"], Signal::TERM).await,
            Run::KillBroker => self.kill_broker().await,
            Run::FreezeRunner => self.freeze("runner-0").await,
            Run::CloseConnections => self.close_connections().await,
            Run::DeleteQueue => self.delete_queue(),
            Run::MemoryAlarm => self.memory_alarm().await,
            Run::Poison => self.poison(LEDGER, 1).await,
            Run::CrashingFunc => self.crashing_func().await,
            Run::SlowLink => self.weather(Weather::Delayed(Duration::from_millis(50)), BAD_FOR).await,
            Run::SlicedLink => self.weather(Weather::Sliced, BAD_FOR).await,
            Run::CutLink => self.cut_links().await,
            Run::FrozenLink => self.weather(Weather::Frozen, FROZEN_FOR).await,
        }
    }

    /// Ends members at once, and waits until they are started again.
    async fn end(&mut self, names: &[&str], signal: Signal) -> Result<()> {
        let start = self.clock.now();
        let mut ended = Vec::new();
        for name in names {
            ended.push((name, self.cluster.members.signal(name, signal)?));
        }
        for (name, pid) in ended {
            self.cluster.replaced(name, pid).await?;
        }
        let mut fault = self.since(format!("{signal:?} of {names:?}"), start);
        fault.killed_frontend = (signal == Signal::KILL && names == ["frontend-0"]).then_some(0);
        self.faults.push(fault);
        Ok(())
    }

    /// Ends one, and the other when the first is back at work.
    async fn end_in_turn(&mut self, names: [&str; 2], signal: Signal) -> Result<()> {
        self.end(&names[..1], signal).await?;
        self.clock.reach(self.clock.now() + BETWEEN).await;
        self.end(&names[1..], signal).await
    }

    async fn kill_broker(&mut self) -> Result<()> {
        let start = self.clock.now();
        self.cluster.broker.kill().await?;
        self.cluster.broker.restart().await?;
        let fault = self.since("the broker was killed", start);
        self.faults.push(fault);
        Ok(())
    }

    async fn freeze(&mut self, name: &str) -> Result<()> {
        let start = self.clock.now();
        self.cluster.members.signal(name, Signal::STOP)?;
        self.clock.reach(start + FROZEN_FOR).await;
        self.cluster.members.signal(name, Signal::CONT)?;
        let fault = self.since(format!("{name} was frozen"), start);
        self.faults.push(fault);
        Ok(())
    }

    async fn close_connections(&mut self) -> Result<()> {
        let start = self.clock.now();
        self.cluster.broker.close_connections().await?;
        let fault = self.since("connections were closed", start);
        self.faults.push(fault);
        Ok(())
    }

    fn delete_queue(&mut self) -> Result<()> {
        let queue = self.cluster.queues("func.").into_iter().next().context("there is no Func's queue")?;
        let start = self.clock.now();
        self.cluster.delete_queue(&queue);
        let fault = self.since(format!("{queue} was deleted"), start);
        self.faults.push(fault);
        Ok(())
    }

    async fn memory_alarm(&mut self) -> Result<()> {
        let start = self.clock.now();
        self.cluster.broker.alarm(true).await?;
        self.clock.reach(self.clock.now() + BAD_FOR).await;
        self.cluster.broker.alarm(false).await?;
        let fault = self.since("the memory alarm was on", start);
        self.faults.push(fault);
        Ok(())
    }

    /// Calls that end whoever executes them. The sink notes each such end as a fault.
    async fn poison(&mut self, base_path: &'static str, calls: usize) -> Result<()> {
        for count in 0..calls {
            if count > 0 {
                self.clock.reach(self.clock.now() + BETWEEN_POISONS).await;
            }
            let planned = Planned {
                id: Builder::from_random_bytes(self.random.u128(..).to_be_bytes()).into_uuid(),
                base_path,
                operation: Operation::Poison,
                asynchronous: false,
                frontend: count % 2,
            };
            let request = send(self.client, self.clock, planned).await;
            self.requests.push(request);
        }
        Ok(())
    }

    async fn crashing_func(&mut self) -> Result<()> {
        self.cluster.deploy(CRASHER).await?;
        self.poison(CRASHER, CRASHES).await
    }

    async fn weather(&mut self, weather: Weather, lasting: Duration) -> Result<()> {
        let start = self.clock.now();
        self.cluster.weather(weather);
        self.clock.reach(start + lasting).await;
        self.cluster.weather(Weather::Fair);
        let fault = self.since(format!("{weather:?}"), start);
        self.faults.push(fault);
        Ok(())
    }

    async fn cut_links(&mut self) -> Result<()> {
        for _ in 0..3 {
            let lasting = Duration::from_millis(self.random.u64(1..1500));
            self.weather(Weather::Cut, lasting).await?;
            self.clock.reach(self.clock.now() + Duration::from_secs(1)).await;
        }
        Ok(())
    }

    fn since(&self, what: impl Into<String>, start: Duration) -> Fault {
        Fault { what: what.into(), start, end: self.clock.now(), killed_frontend: None }
    }
}
