//! `Section`: what the file says of one pool, and what becomes of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use scaling::{Pool, PoolConfig, Schedule};
use serde::Deserialize;
use substrate::Template;
use tron::{ScaledPool, Token};
use wire::{Labels, PoolName};

use crate::serve::runner::Runner;
use crate::settings::{self, quantity};

/// The time of one processor.
const CPUS: f64 = 1.0;
/// For the calls of 32 slots most of which take a hundredth of what they may.
const MEMORY_MAX: u64 = 2 << 30;
/// Threads of an event loop, of a clock and for files, with room for those of a compiler.
const PIDS_MAX: i64 = 512;
/// What running calls get to finish in, as when nobody says anything to a runner.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// What a pool says of its runners by settings of its own.
const OURS: [&str; 5] = ["config", "pool", "instance", "labels", "drain-timeout"];

/// What the file says of one pool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Section {
    #[serde(default)]
    labels: Labels,
    image: Option<String>,
    runners_min: Option<usize>,
    runners_max: Option<usize>,
    target: Option<f64>,
    panic_window: Option<String>,
    stable_window: Option<String>,
    drain_time: Option<String>,
    cooldown: Option<String>,
    cost_per_hour: Option<f64>,
    cost_max_per_hour: Option<f64>,
    /// Of a container.
    cpus: Option<f64>,
    memory_max: Option<String>,
    pids_max: Option<i64>,
    /// How long a runner that leaves has to finish what it runs.
    drain_timeout: Option<String>,
    #[serde(default)]
    schedule: Vec<ScheduleSection>,
    /// Settings of its runners that differ from the others'.
    #[serde(default)]
    runner: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ScheduleSection {
    #[serde(default)]
    days: Vec<String>,
    from: String,
    to: String,
    runners_min: usize,
}

/// What the file says of all pools.
pub(super) struct Common {
    pub(super) settings: BTreeMap<String, toml::Value>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) network: Option<String>,
    /// Whether runners are containers.
    pub(super) takes_image: bool,
}

/// Collects what is wrong.
#[derive(Default)]
struct Mistakes(Vec<String>);

impl Mistakes {
    fn note<T, E: std::fmt::Display>(&mut self, name: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.0.push(format!("{name}: {error}"))).ok()
    }

    /// Replaces a default by what is given.
    fn set<T>(
        &mut self,
        name: &str,
        value: &mut T,
        given: Option<&String>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) {
        if let Some(given) = given.and_then(|given| self.note(name, parse(given))) {
            *value = given;
        }
    }
}

impl Section {
    /// The pool, and what its runners are made from.
    pub(super) fn pool(self, name: &PoolName, common: &Common) -> Result<ScaledPool, Vec<String>> {
        let mut mistakes = Mistakes::default();
        let cpus = self.cpus.unwrap_or(CPUS);
        if !(cpus > 0.0 && cpus.is_finite()) {
            mistakes.0.push(format!("cpus: {cpus} is no number of processors"));
        }
        if common.takes_image && self.image.is_none() {
            mistakes.0.push("image is missing: runners are containers, made from one".to_owned());
        }
        let mut settings = runner_settings(&common.settings, &self.runner, &mut mistakes);
        let threads = number(&mut settings, "threads", whole(cpus), &mut mistakes);
        let slots = number(&mut settings, "slots", PoolConfig::SLOTS, &mut mistakes);
        let (mut memory_max, mut drain_timeout) = (MEMORY_MAX, DRAIN_TIMEOUT);
        mistakes.set("memory-max", &mut memory_max, self.memory_max.as_ref(), quantity::bytes);
        mistakes.set("drain-timeout", &mut drain_timeout, self.drain_timeout.as_ref(), quantity::duration);
        let environment = common
            .environment
            .clone()
            .into_iter()
            .chain(settings.into_iter().map(|(setting, value)| (settings::variable(&setting), value)));
        let template = Template {
            pool: name.clone(),
            labels: self.labels.clone(),
            image: self.image.clone(),
            cpus,
            memory_max,
            pids_max: self.pids_max.unwrap_or(PIDS_MAX),
            environment: environment.collect(),
            network: common.network.clone(),
            drain_timeout,
        };
        let config = self.config(name, threads, slots.saturating_mul(threads), &mut mistakes);
        match Pool::new(config) {
            Ok(policy) if mistakes.0.is_empty() => Ok(ScaledPool { policy, template }),
            Ok(_) => Err(mistakes.0),
            Err(invalid) => {
                mistakes.0.extend(invalid.iter().map(ToString::to_string));
                Err(mistakes.0)
            }
        }
    }

    fn config(self, name: &PoolName, threads: usize, slots: usize, mistakes: &mut Mistakes) -> PoolConfig {
        let mut config = PoolConfig { labels: self.labels, threads, slots, ..PoolConfig::new(name.clone()) };
        config.runners_min = self.runners_min.unwrap_or(config.runners_min);
        config.runners_max = self.runners_max.unwrap_or(config.runners_max);
        config.target = self.target.unwrap_or(config.target);
        config.cost_per_hour = self.cost_per_hour.unwrap_or(config.cost_per_hour);
        config.cost_max_per_hour = self.cost_max_per_hour;
        for (name, window, given) in [
            ("panic-window", &mut config.panic_window, &self.panic_window),
            ("stable-window", &mut config.stable_window, &self.stable_window),
            ("drain-time", &mut config.drain_time, &self.drain_time),
            ("cooldown", &mut config.cooldown, &self.cooldown),
        ] {
            mistakes.set(name, window, given.as_ref(), quantity::duration);
        }
        let schedules = self.schedule.into_iter();
        config.schedules =
            schedules.filter_map(|schedule| mistakes.note("schedule", schedule.read())).collect();
        config
    }
}

impl ScheduleSection {
    fn read(self) -> Result<Schedule, scaling::BadSchedule> {
        Ok(Schedule {
            days: self.days.iter().map(|day| day.parse()).collect::<Result<_, _>>()?,
            from: self.from.parse()?,
            to: self.to.parse()?,
            runners_min: self.runners_min,
        })
    }
}

/// What a runner of the pool is told, by the names on its command line: what the pool says comes before what all say.
fn runner_settings(
    common: &BTreeMap<String, toml::Value>,
    own: &BTreeMap<String, toml::Value>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, String> {
    let known = settings::names(&Runner::default());
    let mut settings = BTreeMap::new();
    for (name, value) in common.iter().chain(own) {
        if OURS.contains(&name.as_str()) {
            mistakes.0.push(format!("{name} in [runner]: it follows from the pool"));
        } else if !known.contains(name) {
            mistakes.0.push(format!("{name} in [runner]: a runner has no such setting"));
        } else if let Some(text) =
            mistakes.note(&format!("{name} in [runner]"), settings::text(value.clone()))
        {
            settings.insert(name.clone(), text);
        }
    }
    for required in ["broker", "store"] {
        if !settings.contains_key(required) {
            mistakes.0.push(format!("{required} in [runner] is missing: a runner has to be told"));
        }
    }
    // A container does not see our files.
    if let Some(path) = settings.remove("token-file") {
        let token = token(Path::new(&path));
        settings
            .extend(mistakes.note("token-file in [runner]", token).map(|token| ("token".to_owned(), token)));
    }
    settings
}

fn token(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("read {}: {error}", path.display()))?;
    let token = Token::from_text(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(token.reveal().to_owned())
}

/// A number that the policy has to know as well as the runner, which is told even the default.
fn number(
    settings: &mut BTreeMap<String, String>,
    name: &str,
    default: usize,
    mistakes: &mut Mistakes,
) -> usize {
    let mut number = default;
    mistakes.set(name, &mut number, settings.get(name), quantity::count);
    settings.insert(name.to_owned(), number.to_string());
    number
}

/// Threads for as many processors: one for each that is begun.
fn whole(cpus: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number above zero")]
    let threads = cpus.ceil().clamp(1.0, 1024.0) as usize;
    threads
}
