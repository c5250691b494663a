//! `Options`: what is simulated, by the arguments.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use scaling::PoolConfig;

use crate::reports::pool_name;
use crate::runner::Shape;
use crate::trace::{Part, SECOND, Trace};
use crate::world::Settings;

const USAGE: &str = "usage: simulate [--trace NAME]... [--seed N] [--start SECONDS] [--tick SECONDS] [--report SECONDS] [--look SECONDS]
    [--crash SECONDS] [--patience SECONDS] [--time PART] [--load PART] [--max RUNNERS] [--svg DIR] [--tell] [--ours] [--extrapolate]
    [--target T] [--panic-window SECONDS] [--stable-window SECONDS] [--drain-time SECONDS] [--cooldown SECONDS]";

/// What is simulated.
pub(crate) struct Options {
    pub(crate) traces: Vec<String>,
    pub(crate) settings: Settings,
    pub(crate) pool: PoolConfig,
    /// Microseconds between two decisions of Funcatron's policy.
    pub(crate) tick: u64,
    pub(crate) part: Part,
    pub(crate) svg: Option<PathBuf>,
    pub(crate) tells: bool,
    /// Whether 10,000 runners are tried instead.
    pub(crate) extrapolates: bool,
    /// Whether nobody else is tried.
    pub(crate) is_ours_only: bool,
}

impl Options {
    /// All traces, whole, with runners that start in a second.
    pub(crate) fn default() -> Result<Self> {
        let settings = Settings {
            shape: Shape { threads: 2, slots: 16 },
            start: SECOND,
            crash: 3600 * SECOND,
            report: SECOND,
            look: SECOND / 2,
            runners_min: 1,
            runners_max: 80,
            patience: SECOND,
            seed: 1,
        };
        Ok(Self {
            traces: Vec::new(),
            settings,
            pool: PoolConfig::new(pool_name().context("a pool has a name")?),
            tick: SECOND / 2,
            part: Part { time: 1.0, load: 1.0 },
            svg: None,
            tells: false,
            extrapolates: false,
            is_ours_only: false,
        })
    }

    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self::default()?;
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--tell" => options.tells = true,
                "--extrapolate" => options.extrapolates = true,
                "--ours" => options.is_ours_only = true,
                _ => options.read_value(&name, arguments.next())?,
            }
        }
        if options.traces.is_empty() {
            options.traces = Trace::NAMES.map(str::to_owned).to_vec();
        }
        Ok(options)
    }

    fn read_value(&mut self, name: &str, value: Option<String>) -> Result<()> {
        let value = value.with_context(|| format!("{name} needs a value\n{USAGE}"))?;
        self.set(name, &value).with_context(|| format!("{name} {value}"))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let seconds = || value.parse().map(Duration::from_secs_f64);
        let micros = || seconds().map(|duration| duration.as_micros() as u64);
        let (settings, pool) = (&mut self.settings, &mut self.pool);
        match name {
            "--trace" => self.traces.push(value.to_owned()),
            "--seed" => settings.seed = value.parse()?,
            "--start" => settings.start = micros()?,
            "--tick" => self.tick = micros()?,
            "--report" => settings.report = micros()?,
            "--look" => settings.look = micros()?,
            "--crash" => settings.crash = micros()?,
            "--patience" => settings.patience = micros()?,
            "--time" => self.part.time = value.parse()?,
            "--load" => self.part.load = value.parse()?,
            "--max" => settings.runners_max = value.parse()?,
            "--svg" => self.svg = Some(value.into()),
            "--target" => pool.target = value.parse()?,
            "--panic-window" => pool.panic_window = seconds()?,
            "--stable-window" => pool.stable_window = seconds()?,
            "--drain-time" => pool.drain_time = seconds()?,
            "--cooldown" => pool.cooldown = seconds()?,
            _ => bail!("{USAGE}"),
        }
        Ok(())
    }
}
