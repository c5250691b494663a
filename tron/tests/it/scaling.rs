//! Pools on the processes of this machine, with a program in place of the runner that only waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use scaling::{Pool, PoolConfig};
use substrate::{InstanceState, Processes, Program, Substrate, Template};
use tempfile::TempDir;
use tokio::time::Instant;
use tron::{ScaledPool, Scaling};
use wire::broker::{Embedded, Heard, Message, Subscription, Topic};
use wire::{Broker, Heartbeat, Labels, PoolName, PoolReport, Store};

use crate::harness::{Stage, document, in_time, request};

/// How often what comes by itself is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// Where runners are, and everything that Trons share.
struct Machine {
    folder: TempDir,
    broker: Arc<Embedded>,
    program: PathBuf,
}

impl Machine {
    fn new() -> Self {
        Self::with("/bin/sleep")
    }

    fn with(program: &str) -> Self {
        let (folder, broker) = (tempfile::tempdir().unwrap(), Arc::new(Embedded::new()));
        Self { folder, broker, program: program.into() }
    }

    fn processes(&self) -> Processes {
        let program =
            Program { path: self.program.clone(), arguments: vec!["1000".into()], environment: Vec::new() };
        Processes::open(&self.folder.path().join("runners"), program).unwrap()
    }

    async fn tron(&self, runners_min: usize) -> Stage {
        let store = Store::directory(&self.folder.path().join("store")).unwrap();
        let pools = vec![pool(runners_min)];
        let scaling = Scaling { substrate: Arc::new(self.processes()), kind: "process".into(), pools };
        Stage::scaling(self.broker.clone(), store, scaling).await
    }

    async fn running(&self) -> Vec<String> {
        let instances = self.processes().instances(&[pool(0).template]).await.unwrap();
        let running = instances.into_iter().filter(|instance| instance.state == InstanceState::Running);
        running.map(|instance| instance.name).collect()
    }

    /// Waits until so many run; gives their names.
    async fn until_running(&self, count: usize) -> Vec<String> {
        in_time(async {
            loop {
                let running = self.running().await;
                if running.len() == count {
                    return running;
                }
                pause().await;
            }
        })
        .await
    }

    async fn reports(&self) -> Reports {
        Reports(self.broker.subscribe(Topic::Heartbeats).await.unwrap())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for pid in pids(self.folder.path()) {
            _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// What Trons say of their pools.
struct Reports(Subscription);

impl Reports {
    /// Waits for a report like this.
    async fn until(&mut self, is_it: impl Fn(&PoolReport) -> bool) -> PoolReport {
        in_time(async {
            loop {
                let Some(Heard::Payload(payload)) = self.0.next().await else { continue };
                let heartbeat: Heartbeat = wire::decode_line(&payload).unwrap();
                if let Some(report) = heartbeat.pools.into_iter().find(&is_it) {
                    return report;
                }
            }
        })
        .await
    }
}

fn pool(runners_min: usize) -> ScaledPool {
    let name = PoolName::parse("default").unwrap();
    let policy = Pool::new(PoolConfig { runners_min, ..PoolConfig::new(name.clone()) }).unwrap();
    let template = Template {
        pool: name,
        labels: Labels::default(),
        image: None,
        cpus: 1.0,
        memory_max: 1 << 30,
        pids_max: 100,
        environment: Vec::new(),
        network: None,
        drain_timeout: Duration::from_secs(1),
    };
    ScaledPool { policy, template }
}

/// The processes whose account is kept below this folder.
fn pids(folder: &Path) -> Vec<Pid> {
    let folder = folder.join("runners");
    let environments = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let ours = environments.filter(|entry| {
        let log = std::fs::read_link(entry.path().join("fd/1"));
        log.is_ok_and(|log| log.starts_with(&folder))
    });
    ours.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// Other processes are looked at: their time does not stand still with ours.
async fn pause() {
    _ = tokio::time::timeout_at(Instant::now() + LOOK, std::future::pending::<()>()).await;
}

#[tokio::test]
async fn a_pool_has_its_minimum_and_what_ends_is_replaced() {
    let machine = Machine::new();
    let tron = machine.tron(2).await;
    let before = machine.until_running(2).await;
    let [pid, _] = pids(machine.folder.path())[..] else { panic!("two processes") };
    kill_process(pid, Signal::KILL).unwrap();
    in_time(async {
        while machine.running().await == before || machine.running().await.len() < 2 {
            pause().await;
        }
    })
    .await;
    tron.stop().await.unwrap();
    machine.until_running(0).await;
}

#[tokio::test]
async fn one_of_two_trons_scales_and_the_other_takes_over_what_there_is() {
    let machine = Machine::new();
    let mut reports = machine.reports().await;
    let first = machine.tron(2).await;
    let runners = machine.until_running(2).await;
    let second = machine.tron(3).await;
    reports.until(|report| report.running == Some(2) && report.runners_min == 2).await;
    assert_eq!(machine.running().await, runners, "the second waits");
    first.stop().await.unwrap();
    let taken_over = machine.until_running(3).await;
    assert!(runners.iter().all(|runner| taken_over.contains(runner)), "{runners:?} in {taken_over:?}");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn calls_that_wait_have_the_first_runner_started() {
    let machine = Machine::new();
    let mut reports = machine.reports().await;
    let tron = machine.tron(0).await;
    reports.until(|report| report.wanted == 0 && report.running == Some(0)).await;
    let sha = tron.upload(&document("a", 1)).await;
    let route = tron.handle.deploy(&request(&sha), "test").await.unwrap().route;
    let queue = format!("func.{route}.{}", sha.short());
    machine.broker.publish(&queue, Message::new("{}\n".into())).await.unwrap();
    let report = reports.until(|report| report.running == Some(1)).await;
    assert!(report.why.starts_with("1 runner: backlog 1"), "{}", report.why);
    machine.until_running(1).await;
}

#[tokio::test]
async fn runners_that_cannot_start_are_seen() {
    let machine = Machine::with("/bin/false");
    let mut reports = machine.reports().await;
    let _tron = machine.tron(1).await;
    let report = reports.until(|report| report.alarm.is_some()).await;
    let alarm = report.alarm.unwrap();
    assert!(alarm.ends_with("a runner does not start: exit code 1"), "{alarm}");
}
