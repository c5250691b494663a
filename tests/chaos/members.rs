//! `Members`: the processes of the platform by name, each started again whenever it ends, as a container's
//! restart policy would. Cheap to clone.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Result, bail};
use harness::{Client, Cluster, Process};
use rustix::process::Signal;
use tokio::time::interval;

#[derive(Clone)]
pub(crate) struct Members(Arc<Mutex<Cluster>>);

/// A member that ended stays away for as long as this at most.
const RESTART_EVERY: Duration = Duration::from_millis(500);

impl Members {
    pub(crate) fn of(cluster: Cluster) -> Self {
        Self(Arc::new(Mutex::new(cluster)))
    }

    /// The cluster that they are. Nobody waits for anything while holding it.
    pub(crate) fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.0.lock().unwrap()
    }

    /// Starts again whoever has ended, for as long as it is polled.
    pub(crate) async fn supervise(self) {
        let mut looks = interval(RESTART_EVERY);
        loop {
            looks.tick().await;
            let mut cluster = self.cluster();
            let ended = named(&mut cluster).filter_map(|(_, process)| process.has_ended().then_some(process));
            ended.for_each(Process::start_again);
        }
    }

    pub(crate) fn pid(&self, name: &str) -> Option<u32> {
        named(&mut self.cluster()).find(|(other, _)| other == name).map(|(_, process)| process.id())
    }

    /// Those whose names begin like this, with their processes.
    pub(crate) fn like(&self, prefix: &str) -> Vec<(String, u32)> {
        let mut cluster = self.cluster();
        let like = named(&mut cluster).filter(|(name, _)| name.starts_with(prefix));
        like.map(|(name, process)| (name, process.id())).collect()
    }

    /// Sends a member a signal; the process that got it.
    pub(crate) fn signal(&self, name: &str, signal: Signal) -> Result<u32> {
        let mut cluster = self.cluster();
        let Some((_, process)) = named(&mut cluster).find(|(other, _)| other == name) else {
            bail!("there is no {name}")
        };
        if process.has_ended() {
            bail!("{name} has ended by itself");
        }
        process.signal(signal);
        Ok(process.id())
    }

    /// Which of those whose names begin like this has logged the message since that was last asked.
    pub(crate) fn who_said(&self, prefix: &str, message: &str) -> Option<String> {
        let mut cluster = self.cluster();
        let like = named(&mut cluster).filter(|(name, _)| name.starts_with(prefix));
        // Everybody is asked, so that what was said before is not heard later.
        like.filter(|(_, process)| process.has_said(message)).map(|(name, _)| name).last()
    }

    /// Has a Tron be told this as well whenever it starts from now on.
    pub(crate) fn tell_trons(&self, argument: &str) {
        self.cluster().trons.iter_mut().for_each(|(process, _)| process.tell(argument));
    }

    /// A client whose operator talks to the first Tron.
    pub(crate) fn client(&self) -> Client {
        self.cluster().client()
    }
}

fn named(cluster: &mut Cluster) -> impl Iterator<Item = (String, &mut Process)> {
    let Cluster { frontends, trons, runners, .. } = cluster;
    let frontends = frontends.iter_mut().map(|(process, _)| process).enumerate();
    let trons = trons.iter_mut().map(|(process, _)| process).enumerate();
    let frontends = frontends.map(|(number, process)| (format!("frontend-{number}"), process));
    let trons = trons.map(|(number, process)| (format!("tron-{number}"), process));
    let runners = runners.iter_mut().enumerate();
    frontends.chain(trons).chain(runners.map(|(number, process)| (format!("runner-{number}"), process)))
}
