//! The file of `funcatron tron --scaling`: pools of runners, and what starts and stops them.

mod pool;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Deserialize;
use substrate::{ClusterName, Docker, INHERITED, Processes, Program, Substrate, Swarm};
use tron::{ScaledPool, Scaling};
use wire::PoolName;

use self::pool::Section;
use crate::settings::one_line;

/// Where the engine listens unless somebody moved it.
const DOCKER_HOST: &str = "unix:///var/run/docker.sock";
/// Names what is ours where nobody has more than one cluster.
const CLUSTER: &str = "funcatron";

/// What the file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    /// Keeps apart what several clusters run on one engine.
    cluster: Option<String>,
    substrate: Kind,
    #[serde(default)]
    docker: DockerSection,
    #[serde(default)]
    process: ProcessSection,
    /// Settings of every runner, by the names that they have on its command line.
    #[serde(default)]
    runner: BTreeMap<String, toml::Value>,
    /// Further variables of every runner's environment.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    pool: BTreeMap<String, Section>,
}

/// What starts and stops runners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Process,
    Docker,
    Swarm,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DockerSection {
    host: Option<String>,
    network: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ProcessSection {
    dir: Option<PathBuf>,
}

/// What a Tron is to scale, read and checked. Nothing is started or asked yet.
#[derive(Debug)]
pub(crate) struct Plan {
    kind: Kind,
    cluster: ClusterName,
    docker_host: String,
    /// Where what there is to know of processes lies.
    dir: PathBuf,
    pools: Vec<ScaledPool>,
}

/// Reads the file.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn read(path: &str) -> Result<Plan, Vec<String>> {
    let alone = |mistake: String| vec![format!("{path}: {mistake}")];
    let text = fs::read_to_string(path).map_err(|error| alone(error.to_string()))?;
    let file: File = toml::from_str(&text).map_err(|error| alone(one_line(&error, &text)))?;
    file.plan().map_err(|mistakes| mistakes.into_iter().map(|mistake| format!("{path}: {mistake}")).collect())
}

impl File {
    fn plan(self) -> Result<Plan, Vec<String>> {
        let mut mistakes = Vec::new();
        let cluster = self.cluster.as_deref().unwrap_or(CLUSTER).parse::<ClusterName>();
        let cluster = cluster.map_err(|error| mistakes.push(format!("cluster: {error}"))).ok();
        let dir = self.process.dir.or_else(runners_dir);
        if dir.is_none() && self.substrate == Kind::Process {
            mistakes.push("dir in [process] is missing, and there is no home directory".to_owned());
        }
        if self.pool.is_empty() {
            mistakes.push("there is no [pool.NAME], so there is nothing to scale".to_owned());
        }
        let common = pool::Common {
            settings: self.runner,
            environment: self.environment,
            network: self.docker.network,
            takes_image: self.substrate != Kind::Process,
        };
        let mut pools = Vec::new();
        for (name, section) in self.pool {
            match PoolName::parse(name.clone()) {
                Ok(name) => match section.pool(&name, &common) {
                    Ok(pool) => pools.push(pool),
                    Err(wrong) => {
                        mistakes.extend(wrong.into_iter().map(|wrong| format!("pool.{name}: {wrong}")));
                    }
                },
                Err(error) => mistakes.push(format!("pool.{name}: {error}")),
            }
        }
        let docker_host = self.docker.host.unwrap_or_else(|| DOCKER_HOST.to_owned());
        match cluster {
            Some(cluster) if mistakes.is_empty() => {
                let dir = dir.unwrap_or_default().join(cluster.as_str());
                Ok(Plan { kind: self.substrate, cluster, docker_host, dir, pools })
            }
            _ => Err(mistakes),
        }
    }
}

impl Plan {
    /// Opens the substrate. An engine that is not there is none the less: it may come.
    ///
    /// # Errors
    /// When this machine has no room for what has to be kept, or the engine's address is none.
    pub(crate) fn open(self) -> Result<Scaling> {
        let Self { kind, cluster, docker_host, dir, pools } = self;
        let (kind, substrate): (&str, Arc<dyn Substrate>) = match kind {
            Kind::Process => ("process", Arc::new(processes(&dir)?)),
            Kind::Docker => ("docker", Arc::new(Docker::new(&docker_host, cluster)?)),
            Kind::Swarm => ("swarm", Arc::new(Swarm::new(&docker_host, cluster)?)),
        };
        Ok(Scaling { substrate, kind: kind.to_owned(), pools })
    }
}

/// This program as a runner.
fn processes(dir: &Path) -> Result<Processes> {
    let path = std::env::current_exe().context("find this program's file")?;
    let inherited =
        INHERITED.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
    let program = Program { path, arguments: vec!["runner".to_owned()], environment: inherited.collect() };
    Processes::open(dir, program).with_context(|| format!("keep an account of runners in {}", dir.display()))
}

/// Where a user's programs keep what is to outlive them.
fn runners_dir() -> Option<PathBuf> {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = given("XDG_STATE_HOME").or_else(|| Some(given("HOME")?.join(".local/state")))?;
    Some(state.join("funcatron/runners"))
}

#[cfg(test)]
mod tests;
