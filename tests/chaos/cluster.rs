//! `Cluster`: the platform as somebody runs it, two of each kind, over a broker of its own that can be broken.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use harness::{Size, test_func};
use tokio::task::{JoinSet, block_in_place};
use uuid::Uuid;

use super::broker::Broker;
use super::clock::until;
use super::members::Members;
use super::proxy::{Proxy, Weather};
use super::sink::Sink;

/// Dropping it ends all of its processes.
pub(crate) struct Cluster {
    pub(crate) members: Members,
    /// Between the broker and the first member of each kind.
    proxies: Vec<Proxy>,
    pub(crate) broker: Broker,
    pub(crate) sink: Sink,
    pub(crate) frontends: Vec<SocketAddr>,
    /// What goes on for as long as the cluster is there.
    _tasks: JoinSet<()>,
}

/// What all of them are.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_funcatron");
/// They are started one by one, each with arguments of its own.
const NOBODY: Size = Size { frontends: 0, trons: 0, runners: 0 };
/// How long a frontend waits for an answer: short, as runs wait for what nobody answers.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const CALL_TIMEOUT_ARGUMENT: &str = "--call-timeout=10s";
/// Longer than the Func takes, and than the broker takes to miss a frozen runner; short, as runs wait for what is lost.
const LOST_AFTER_ARGUMENT: &str = "--lost-after=15s";
/// A member starts within seconds, the first of them once the engine is compiled.
const PATIENCE: Duration = Duration::from_secs(120);
/// Where the ledger Func is served.
pub(crate) const LEDGER: &str = "/ledger";

impl Cluster {
    /// Starts the processes, and deploys the ledger Func.
    pub(crate) async fn start(seed: u64) -> Result<Self> {
        let mut cluster = Self::of_nobody().await?;
        cluster.add_members(seed).await?;
        cluster.begin().await?;
        cluster.until_served();
        Ok(cluster)
    }

    /// Starts Trons and frontends, and deploys the ledger Func. Whoever runs it comes later.
    pub(crate) async fn without_runners(call_timeout: Duration) -> Result<Self> {
        let mut cluster = Self::of_nobody().await?;
        let call_timeout = format!("--call-timeout={}ms", call_timeout.as_millis());
        {
            let mut members = cluster.members.cluster();
            block_in_place(|| {
                for dispatch in ["tron", "direct"] {
                    members.add_tron(&[LOST_AFTER_ARGUMENT]);
                    members.add_frontend(&[&call_timeout, &format!("--dispatch={dispatch}")]);
                }
            });
        }
        cluster.begin().await?;
        Ok(cluster)
    }

    async fn of_nobody() -> Result<Self> {
        let broker = Broker::start().await?;
        let vhost = block_in_place(|| broker.vhost());
        let members = Members::of(harness::Cluster::start_on(vhost, Path::new(PROGRAM), NOBODY));
        let mut tasks = JoinSet::new();
        let sink = Sink::start(members.clone(), &mut tasks).await?;
        Ok(Self { members, proxies: Vec::new(), broker, sink, frontends: Vec::new(), _tasks: tasks })
    }

    /// Looks after the members from now on, and deploys.
    async fn begin(&mut self) -> Result<()> {
        self.frontends = {
            let cluster = self.members.cluster();
            block_in_place(|| cluster.until_ready());
            let urls = cluster.frontends.iter().map(|(_, url)| url.trim_start_matches("http://"));
            urls.map(str::parse).collect::<Result<_, _>>().context("read the addresses of frontends")?
        };
        self._tasks.spawn(self.members.clone().supervise());
        self.deploy(LEDGER).await
    }

    /// Starts the first of each kind behind a proxy, and the second beside it. One frontend goes through
    /// Tron, the other dispatches by itself.
    async fn add_members(&mut self, seed: u64) -> Result<()> {
        let url = self.members.cluster().vhost.url.clone();
        for number in 0..2 {
            for kind in ["tron", "runner", "frontend"] {
                let mut broker = format!("--broker={url}");
                if number == 0 {
                    let proxy = Proxy::start(self.broker.address, seed).await?;
                    broker =
                        broker.replace(&format!("@{}", self.broker.address), &format!("@{}", proxy.address));
                    self.proxies.push(proxy);
                }
                let mut cluster = self.members.cluster();
                block_in_place(|| match (kind, number) {
                    ("tron", _) => cluster.add_tron(&[&broker, LOST_AFTER_ARGUMENT]),
                    ("runner", _) => cluster.add_runner(&[&broker], &[]),
                    (_, 0) => cluster.add_frontend(&[&broker, CALL_TIMEOUT_ARGUMENT]),
                    _ => cluster.add_frontend(&[&broker, CALL_TIMEOUT_ARGUMENT, "--dispatch=direct"]),
                });
            }
        }
        Ok(())
    }

    /// Deploys the ledger Func to be served there.
    pub(crate) async fn deploy(&self, base_path: &str) -> Result<()> {
        let (func, sink) = (test_func("ledger"), self.sink.address);
        let (outbound, sink) = (sink.to_string(), format!("sink=http://{sink}"));
        let client = self.members.client();
        let output = block_in_place(|| {
            let func = func.to_string_lossy();
            let what = ["deploy", func.as_ref(), "--base-path", base_path];
            let props = ["--prop", &sink, "--prop", "version=\"1\"", "--outbound", &outbound];
            client.command(&[&what[..], &props].concat())
        });
        if !output.status.success() {
            bail!("deploy {base_path}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Waits until every frontend answers with what the ledger Func says.
    pub(crate) fn until_served(&self) {
        let clients = self.members.cluster().clients();
        let path = format!("{LEDGER}/entries/{}", Uuid::nil());
        block_in_place(|| {
            for client in clients {
                client.until(&path, |reply| reply.status == 200);
            }
        });
    }

    /// Waits until another process has the name.
    pub(crate) async fn replaced(&self, name: &str, pid: u32) -> Result<()> {
        let what = format!("{name} is started again");
        until(&what, PATIENCE, async || self.members.pid(name).is_some_and(|new| new != pid)).await
    }

    /// The weather between the broker and the first member of each kind.
    pub(crate) fn weather(&self, weather: Weather) {
        self.proxies.iter().for_each(|proxy| proxy.set(weather));
    }

    /// The names of the queues that begin like this.
    pub(crate) fn queues(&self, prefix: &str) -> Vec<String> {
        block_in_place(|| self.members.cluster().vhost.queues(prefix))
    }

    /// How many promised calls have not ended.
    pub(crate) fn pending(&self) -> Result<u64> {
        let folder = self.members.cluster().folder.path().join("store/calls/pending");
        match std::fs::read_dir(&folder) {
            Ok(files) => Ok(files.count().try_into()?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error).with_context(|| format!("list {}", folder.display())),
        }
    }

    /// Deletes a queue with what is in it.
    pub(crate) fn delete_queue(&self, name: &str) {
        block_in_place(|| {
            let cluster = self.members.cluster();
            cluster.vhost.delete(&format!("/queues/{}/{name}", cluster.vhost.name));
        });
    }
}
