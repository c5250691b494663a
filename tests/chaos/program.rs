//! `Program`: what is performed, one after the other, and the table of it.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::cluster::Cluster;
use super::options::Options;
use super::run::Run;
use super::scaling::{self, Kind, Scaled, Scene};
use super::stage::{self, Report};
use super::table::{self, Summary};

/// What was chosen.
pub(crate) enum Program {
    Runs(Vec<Run>),
    Scenes(Vec<(Kind, Vec<Scene>)>),
}

/// What has come of it so far.
struct Outcome {
    summary: Summary,
    is_good: bool,
}

impl Program {
    pub(crate) fn chosen(options: &Options) -> Result<Self> {
        let is_chosen = |name: &str, is_short: bool| match options.only.as_slice() {
            [] => is_short || !options.short,
            only => only.iter().any(|only| only == name),
        };
        let scenes = |kind: Kind| {
            let chosen = Scene::of(kind).filter(|scene| is_chosen(&scene.name(kind), scene.is_short(kind)));
            (kind, chosen.collect())
        };
        let program = match options.fleet.as_slice() {
            [] => {
                let runs = Run::ALL.iter().filter(|(_, name, _, is_short)| is_chosen(name, *is_short));
                Self::Runs(runs.map(|(run, ..)| *run).collect())
            }
            kinds => Self::Scenes(kinds.iter().map(|kind| scenes(*kind)).collect()),
        };
        let names = program.names();
        match options.only.iter().find(|only| !names.contains(only)) {
            Some(unknown) => bail!("there is no run {unknown}; --list says which there are"),
            None => Ok(program),
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Runs(runs) => runs.iter().map(|run| run.name().to_owned()).collect(),
            Self::Scenes(of_kinds) => {
                let named = |(kind, scenes): &(Kind, Vec<Scene>)| {
                    scenes.iter().map(|scene| scene.name(*kind)).collect::<Vec<_>>()
                };
                of_kinds.iter().flat_map(named).collect()
            }
        }
    }

    pub(crate) async fn perform(&self, options: &Options) -> Result<ExitCode> {
        let Options { rate, seed, .. } = *options;
        println!("seed {seed}, {rate} requests/s, {} runs", self.names().len());
        let mut outcome = Outcome { summary: Summary::new(), is_good: true };
        match self {
            Self::Runs(runs) => outcome.perform_runs(runs, rate, seed).await?,
            Self::Scenes(of_kinds) => {
                for (kind, scenes) in of_kinds {
                    outcome.perform_scenes(*kind, scenes, rate, seed).await?;
                }
            }
        }
        outcome.summary.print();
        println!("seed {seed}: {}", if outcome.is_good { "everything held" } else { "NOT everything held" });
        Ok(if outcome.is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Outcome {
    /// Performs the runs one after the other on one cluster, and on a new one after a run that went wrong.
    async fn perform_runs(&mut self, runs: &[Run], rate: u32, seed: u64) -> Result<()> {
        let mut current = None;
        for run in runs {
            let cluster = match current.take() {
                Some(cluster) => cluster,
                None => Cluster::start(seed).await?,
            };
            println!("{}", run.name());
            let performed = stage::perform(*run, &cluster, rate, seed).await;
            current = self.note(run.name(), performed).then_some(cluster);
        }
        Ok(())
    }

    /// The same with the scenes for one kind of runners. In the end the pool is retired.
    async fn perform_scenes(&mut self, kind: Kind, scenes: &[Scene], rate: u32, seed: u64) -> Result<()> {
        let mut current = None;
        for scene in scenes {
            let mut scaled = match current.take() {
                Some(scaled) => scaled,
                None => Scaled::start(kind).await?,
            };
            let name = scene.name(kind);
            println!("{name}");
            let performed = scaling::perform(*scene, &mut scaled, rate, seed).await;
            current = self.note(&name, performed).then_some(scaled);
        }
        if let Some(scaled) = &mut current {
            let took = scaled.retire().await?;
            println!(
                "{} runners retired, nothing left of them after {:.1}s",
                kind.name(),
                took.as_secs_f64()
            );
        }
        Ok(())
    }

    /// Says what came of it, and whether that is good.
    fn note(&mut self, name: &str, performed: Result<Report>) -> bool {
        let is_good = match performed {
            Ok(report) => {
                table::tell(&report);
                self.summary.add(&report);
                report.is_good()
            }
            Err(error) => {
                println!("  BROKEN {error:#}");
                self.summary.add_broken(name);
                false
            }
        };
        self.is_good &= is_good;
        is_good
    }
}
