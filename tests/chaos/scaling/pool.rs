//! `Pool`: what the file of `--scaling` says.

use std::time::Duration;

use super::fleet::Fleet;

/// Names what is ours on an engine.
pub(crate) const CLUSTER: &str = "chaos";
/// So few that little load needs several runners: the calls of these tests wait more than they compute.
const SLOTS: usize = 2;
pub(crate) const RUNNERS_MAX: usize = 8;
/// Shorter than when nobody says anything, as runs wait for it.
pub(crate) const STABLE_WINDOW: Duration = Duration::from_secs(10);
/// What a runner that leaves has to finish what it runs.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The one pool of the file.
#[derive(Clone, Copy)]
pub(crate) struct Pool {
    pub(crate) name: &'static str,
    pub(crate) runners_min: usize,
    /// What changes a container, and what it serves not at all.
    pub(crate) pids_max: u32,
}

impl Pool {
    /// One that keeps this many runners at least.
    pub(crate) fn of(runners_min: usize) -> Self {
        Self { name: "default", runners_min, pids_max: 512 }
    }

    /// The file: with what every runner is told, and where processes are written down.
    pub(crate) fn file(self, fleet: &Fleet, settings: &[(&str, &str)], folder: &str) -> String {
        let Self { name, runners_min, pids_max } = self;
        let told: String = settings.iter().map(|(name, value)| format!("{name} = \"{value}\"\n")).collect();
        let engine = fleet.section();
        let image = fleet.image().map(|image| format!("image = \"{image}\"\n")).unwrap_or_default();
        let (substrate, stable, drain) =
            (fleet.kind.name(), STABLE_WINDOW.as_secs(), DRAIN_TIMEOUT.as_secs());
        format!(
            "cluster = \"{CLUSTER}\"\n\
             substrate = \"{substrate}\"\n\
             [process]\n\
             dir = \"{folder}/runners\"\n\
             {engine}\
             [runner]\n\
             threads = 1\n\
             slots = {SLOTS}\n\
             {told}\
             [pool.{name}]\n\
             {image}\
             runners-min = {runners_min}\n\
             runners-max = {RUNNERS_MAX}\n\
             stable-window = \"{stable}s\"\n\
             drain-timeout = \"{drain}s\"\n\
             memory-max = \"1GiB\"\n\
             pids-max = {pids_max}\n"
        )
    }
}
