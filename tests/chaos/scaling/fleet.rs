//! `Fleet`: the runners that Tron started, as the machine or the engine sees them: nobody asks Tron.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use hyper::Method;
use rustix::process::{Pid, Signal, kill_process};

use super::engine::{Engine, IMAGE};

/// What Tron makes runners of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Process,
    Docker,
    Swarm,
}

/// Dropping it ends all of them.
pub(super) struct Fleet {
    pub(super) kind: Kind,
    /// The virtual host that no other runner on this machine is told.
    broker: String,
    /// For containers, one that nobody else uses: whatever is in it is ours.
    engine: Option<Engine>,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Docker => "docker",
            Self::Swarm => "swarm",
        }
    }
}

impl Fleet {
    /// Those that are told to talk over this broker.
    pub(super) async fn of(kind: Kind, broker: &str) -> Result<Self> {
        let engine = match kind {
            Kind::Process => None,
            Kind::Docker | Kind::Swarm => Some(Engine::start().await?),
        };
        Ok(Self { kind, broker: broker.to_owned(), engine })
    }

    /// What of it runs, each by a name of its own.
    pub(super) async fn running(&self) -> Result<BTreeSet<String>> {
        match &self.engine {
            None => Ok(self.processes()?.iter().map(ToString::to_string).collect()),
            Some(engine) => names(engine, "/containers/json", "Id").await,
        }
    }

    /// What is left of it at all, also of what has ended.
    pub(super) async fn left(&self) -> Result<BTreeSet<String>> {
        match &self.engine {
            None => self.running().await,
            Some(engine) => {
                let mut left = names(engine, "/containers/json?all=true", "Id").await?;
                left.append(&mut names(engine, "/services", "ID").await?);
                Ok(left)
            }
        }
    }

    /// Ends one without warning.
    pub(super) async fn kill(&self, name: &str) -> Result<()> {
        match &self.engine {
            None => {
                let pid = Pid::from_raw(name.parse()?).context("no process has the id 0")?;
                kill_process(pid, Signal::KILL).with_context(|| format!("kill {name}"))
            }
            Some(engine) => {
                engine.ask(Method::POST, &format!("/containers/{name}/kill?signal=KILL")).await.map(drop)
            }
        }
    }

    /// Ends the engine without warning, and starts it again, as the machine's supervisor would.
    pub(super) async fn kill_engine(&self) -> Result<()> {
        let Some(engine) = &self.engine else { bail!("processes have no engine") };
        engine.kill()?;
        engine.restart().await
    }

    /// How the file of pools says where the engine is.
    pub(super) fn section(&self) -> String {
        self.engine.as_ref().map_or(String::new(), |engine| {
            format!("[docker]\nhost = \"{}\"\nnetwork = \"host\"\n", engine.host())
        })
    }

    /// The image that runners are made from.
    pub(super) fn image(&self) -> Option<&'static str> {
        self.engine.as_ref().map(|_engine| IMAGE)
    }

    fn processes(&self) -> Result<Vec<u32>> {
        let pids =
            fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Ok(pids.filter(|pid| self.is_runner(*pid)).collect())
    }

    /// Whether it is a runner of ours; what it starts itself is told the same, but is none.
    fn is_runner(&self, pid: u32) -> bool {
        let words = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let (command, environment) = (words("cmdline"), words("environ"));
        let told = format!("FUNCATRON_BROKER={}", self.broker);
        command.split(|byte| *byte == 0).nth(1) == Some(b"runner")
            && environment.split(|byte| *byte == 0).any(|variable| variable == told.as_bytes())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if self.engine.is_some() {
            return;
        }
        let left = self.processes().unwrap_or_default();
        for pid in left.into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            // It may have ended by itself.
            let _ended = kill_process(pid, Signal::KILL);
        }
    }
}

/// What the engine lists there, by this field.
async fn names(engine: &Engine, path: &str, field: &str) -> Result<BTreeSet<String>> {
    let listed = engine.get(path).await?;
    let listed = listed.as_array().with_context(|| format!("{path} is no list"))?;
    Ok(listed.iter().filter_map(|one| one[field].as_str().map(str::to_owned)).collect())
}
