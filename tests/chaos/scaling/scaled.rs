//! `Scaled`: a cluster whose runners are started and stopped by Tron alone.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::task::block_in_place;
use wire::Broker;
use wire::broker::{BrokerUrl, RabbitMq};

use super::super::clock::{Clock, until};
use super::super::cluster::Cluster;
use super::fleet::{Fleet, Kind};
use super::pool::Pool;
use super::watch::Watch;

/// Dropping it ends everything.
pub(crate) struct Scaled {
    pub(super) cluster: Cluster,
    pub(super) fleet: Arc<Fleet>,
    /// Of our own, to see what waits and who consumes.
    pub(super) broker: Arc<dyn Broker>,
    /// The queue of the one Func.
    pub(super) queue: String,
    /// How long the first runner took from its start until it served.
    pub(super) start: Option<Duration>,
}

/// How long a frontend waits for an answer: as long as it does when nobody says anything.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Everything is well within it, on a busy machine as well.
const PATIENCE: Duration = Duration::from_secs(90);

impl Scaled {
    /// Starts everything but runners.
    pub(crate) async fn start(kind: Kind) -> Result<Self> {
        let cluster = Cluster::without_runners(CALL_TIMEOUT).await?;
        let url = cluster.members.cluster().vhost.url.clone();
        let fleet = Arc::new(Fleet::of(kind, &url).await?);
        let broker =
            RabbitMq::connect(&BrokerUrl::parse(&url).context("parse the broker's URL")?, "chaos").await?;
        until("the Func has a queue", PATIENCE, async || !cluster.queues("func.").is_empty()).await?;
        let queue = cluster.queues("func.").remove(0);
        cluster.members.tell_trons(&format!("--scaling={}", file(&cluster)));
        Ok(Self { cluster, fleet, broker: Arc::new(broker), queue, start: None })
    }

    /// Has the Trons keep this pool and no other, and waits until it has its minimum.
    pub(super) async fn keep(&mut self, pool: Pool) -> Result<()> {
        self.write(pool)?;
        let watch = Watch::start(self, Clock::start()).await;
        let were_there = !self.fleet.running().await?.is_empty();
        self.restart_trons().await?;
        watch
            .until("the pool has its minimum", PATIENCE, |sample| {
                sample.is_right() && sample.running() == pool.runners_min && sample.waiting == 0
            })
            .await?;
        if !were_there && self.start.is_none() {
            self.start = watch.curve().start();
        }
        if pool.runners_min > 0 {
            self.cluster.until_served();
        }
        Ok(())
    }

    /// Writes the file that Trons read when they start.
    pub(super) fn write(&self, pool: Pool) -> Result<()> {
        let (url, folder, tron) = {
            let cluster = self.cluster.members.cluster();
            let folder = cluster.folder.path().display().to_string();
            (cluster.vhost.url.clone(), folder, cluster.trons[0].1.clone())
        };
        // What a container has is not on our disk.
        let store = match self.fleet.kind {
            Kind::Process => format!("file://{folder}/store"),
            Kind::Docker | Kind::Swarm => tron,
        };
        let token = self.cluster.members.client().token;
        let settings = [("broker", url.as_str()), ("store", &store), ("token", &token)];
        let text = pool.file(&self.fleet, &settings, &folder);
        fs::write(file(&self.cluster), text).context("write the file of pools")
    }

    /// Restarts one Tron, and the other when the first is back.
    pub(super) async fn restart_trons(&self) -> Result<()> {
        for name in ["tron-0", "tron-1"] {
            let pid = self.cluster.members.signal(name, Signal::TERM)?;
            self.cluster.replaced(name, pid).await?;
            let cluster = self.cluster.members.cluster();
            block_in_place(|| cluster.until_ready());
        }
        Ok(())
    }

    /// Takes the pool out of the file, and waits until nothing is left of it. Says how long that took.
    pub(crate) async fn retire(&mut self) -> Result<Duration> {
        let clock = Clock::start();
        self.write(Pool { name: "other", ..Pool::of(0) })?;
        self.restart_trons().await?;
        until("nothing is left of a pool that is retired", PATIENCE, async || {
            self.fleet.left().await.is_ok_and(|left| left.is_empty())
        })
        .await?;
        Ok(clock.now())
    }
}

fn file(cluster: &Cluster) -> String {
    cluster.members.cluster().folder.path().join("scaling.toml").display().to_string()
}
