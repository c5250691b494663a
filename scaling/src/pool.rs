//! `Pool`: runners of one kind, and how many of them there may be and when.

use std::time::Duration;

use wire::{Labels, PoolName, Timestamp};

use crate::Schedule;

/// What an operator says of a pool.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Names it.
    pub name: PoolName,
    /// What its runners have.
    pub labels: Labels,
    /// Never fewer runners than this.
    pub runners_min: usize,
    /// Never more than this.
    pub runners_max: usize,
    /// How busy the runner of a pool of one is to be; larger pools run hotter.
    pub target: f64,
    /// How far back the policy looks for load that comes.
    pub panic_window: Duration,
    /// How long load has to be gone before runners go.
    pub stable_window: Duration,
    /// In which time a backlog is to be worked off.
    pub drain_time: Duration,
    /// How long nothing shrinks after something grew.
    pub cooldown: Duration,
    /// What a runner costs in an hour, in the operator's money.
    pub cost_per_hour: f64,
    /// What all of them together may cost.
    pub cost_max_per_hour: Option<f64>,
    /// Calls that may run at once on all threads of a runner.
    pub slots: usize,
    /// Threads of a runner that run Funcs.
    pub threads: usize,
    /// When there are more runners than are needed.
    pub schedules: Vec<Schedule>,
}

/// A pool whose settings fit each other.
#[derive(Clone, Debug)]
pub struct Pool {
    config: PoolConfig,
    /// What the number and the money allow.
    runners_max: usize,
}

/// Why there can be no such pool.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidPool {
    /// It asks for more than it allows.
    #[error("runners-min is {min}, over runners-max, {max}")]
    MinOverMax {
        /// What it asks for.
        min: usize,
        /// What it allows.
        max: usize,
    },
    /// It asks for more than may be paid.
    #[error("{min} runners are asked for, but cost-max-per-hour pays for {max}")]
    MinOverCost {
        /// What it asks for.
        min: usize,
        /// What may be paid.
        max: usize,
    },
    /// It allows no runners at all.
    #[error("runners-max is 0")]
    MaxZero,
    /// No runner can be as busy as that.
    #[error("target is {0}; it must be over 0 and at most 1")]
    Target(f64),
    /// It is no amount of money.
    #[error("{0} is {1}; it must be a number of 0 or more")]
    Cost(&'static str, f64),
    /// Nothing can be seen in it, or it is longer than anybody's patience.
    #[error("{0} must be from 1s to 1h")]
    Window(&'static str),
    /// Load that is gone would go before it was noticed.
    #[error("stable-window is shorter than panic-window")]
    StableUnderPanic,
    /// A runner has to have room for calls.
    #[error("{0} is 0")]
    Zero(&'static str),
}

impl PoolConfig {
    /// Room for a twelfth more in a pool of one, where all calls wait in one line: a pool of ten then runs at
    /// 97 %. What is made for calls that are handed out as they come, of a thousand Funcs, at 80 to 90 %.
    pub const TARGET: f64 = 0.92;
    /// As long as three starts take: what is younger cannot have been answered yet.
    pub const PANIC_WINDOW: Duration = Duration::from_secs(3);
    /// As long as eight starts take. Who comes back sooner finds everything running; who comes back later waits
    /// for a start or two.
    pub const STABLE_WINDOW: Duration = Duration::from_secs(8);
    /// As long as two starts take: what has gathered while runners started is gone in about the same time.
    pub const DRAIN_TIME: Duration = Duration::from_secs(2);
    /// As long as what was started needs to start and to be seen at work.
    pub const COOLDOWN: Duration = Duration::from_secs(2);
    /// What a runner has that is told nothing else.
    pub const SLOTS: usize = 32;

    /// A pool of this name, of one runner at least and ten at most, with one thread each.
    pub fn new(name: PoolName) -> Self {
        Self {
            name,
            labels: Labels::default(),
            runners_min: 1,
            runners_max: 10,
            target: Self::TARGET,
            panic_window: Self::PANIC_WINDOW,
            stable_window: Self::STABLE_WINDOW,
            drain_time: Self::DRAIN_TIME,
            cooldown: Self::COOLDOWN,
            cost_per_hour: 0.0,
            cost_max_per_hour: None,
            slots: Self::SLOTS,
            threads: 1,
            schedules: Vec::new(),
        }
    }

    /// As many runners as the money allows.
    fn affordable(&self) -> usize {
        match self.cost_max_per_hour {
            Some(cost_max) if self.cost_per_hour > 0.0 => {
                // Ten times 0.1 is 1.
                (cost_max / self.cost_per_hour + 1e-9).floor() as usize
            }
            _ => usize::MAX,
        }
    }

    fn mistakes(&self) -> Vec<InvalidPool> {
        let mut mistakes = Vec::new();
        let mut refuse = |is_wrong: bool, mistake: InvalidPool| {
            if is_wrong {
                mistakes.push(mistake);
            }
        };
        let (max, affordable) = (self.runners_max, self.affordable());
        refuse(max == 0, InvalidPool::MaxZero);
        let scheduled = self.schedules.iter().map(|schedule| schedule.runners_min);
        let min = scheduled.chain([self.runners_min]).max().unwrap_or_default();
        refuse(min > max, InvalidPool::MinOverMax { min, max });
        refuse(min > affordable, InvalidPool::MinOverCost { min, max: affordable });
        refuse(!(self.target > 0.0 && self.target <= 1.0), InvalidPool::Target(self.target));
        let costs =
            [("cost-per-hour", Some(self.cost_per_hour)), ("cost-max-per-hour", self.cost_max_per_hour)];
        for (name, cost) in costs.into_iter().filter_map(|(name, cost)| Some((name, cost?))) {
            refuse(!(cost.is_finite() && cost >= 0.0), InvalidPool::Cost(name, cost));
        }
        for (name, window) in [
            ("panic-window", self.panic_window),
            ("stable-window", self.stable_window),
            ("drain-time", self.drain_time),
        ] {
            let is_sensible = (Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&window);
            refuse(!is_sensible, InvalidPool::Window(name));
        }
        refuse(self.stable_window < self.panic_window, InvalidPool::StableUnderPanic);
        refuse(self.slots == 0, InvalidPool::Zero("slots"));
        refuse(self.threads == 0, InvalidPool::Zero("threads"));
        mistakes
    }
}

impl Pool {
    /// A pool as it is asked for.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn new(config: PoolConfig) -> Result<Self, Vec<InvalidPool>> {
        let mistakes = config.mistakes();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let runners_max = config.runners_max.min(config.affordable());
        Ok(Self { config, runners_max })
    }

    /// Names it.
    pub fn name(&self) -> &PoolName {
        &self.config.name
    }

    /// What was asked for.
    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// How many runners there may be: as many as the number and the money allow.
    pub fn runners_max(&self) -> usize {
        self.runners_max
    }

    /// How many runners there are at least at this moment, needed or not.
    pub fn runners_min(&self, utc: Timestamp) -> usize {
        let scheduled = self.config.schedules.iter().filter(|schedule| schedule.holds(utc));
        scheduled.map(|schedule| schedule.runners_min).fold(self.config.runners_min, usize::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> PoolConfig {
        PoolConfig::new(PoolName::parse("default").unwrap())
    }

    #[test]
    fn the_defaults_fit_each_other() {
        assert!(Pool::new(config()).is_ok());
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let second = Duration::from_secs(1);
        let wrong = PoolConfig {
            runners_min: 5,
            runners_max: 3,
            target: 0.0,
            cost_per_hour: 2.0,
            cost_max_per_hour: Some(8.0),
            panic_window: 20 * second,
            stable_window: 10 * second,
            drain_time: Duration::ZERO,
            slots: 0,
            ..config()
        };
        let expected = vec![
            InvalidPool::MinOverMax { min: 5, max: 3 },
            InvalidPool::MinOverCost { min: 5, max: 4 },
            InvalidPool::Target(0.0),
            InvalidPool::Window("drain-time"),
            InvalidPool::StableUnderPanic,
            InvalidPool::Zero("slots"),
        ];
        assert_eq!(Pool::new(wrong).unwrap_err(), expected);
        let not_a_number = PoolConfig { target: f64::NAN, cost_per_hour: f64::NAN, ..config() };
        assert_eq!(Pool::new(not_a_number).unwrap_err().len(), 2);
    }

    #[test]
    fn money_is_a_maximum_as_well() {
        let pool = PoolConfig { cost_per_hour: 0.3, cost_max_per_hour: Some(1.0), ..config() };
        assert_eq!(Pool::new(pool).unwrap().runners_max(), 3);
        let free = PoolConfig { cost_max_per_hour: Some(0.0), ..config() };
        assert_eq!(Pool::new(free).unwrap().runners_max(), 10);
    }

    #[test]
    fn a_schedule_raises_the_minimum_while_it_holds() {
        let schedule = |from: &str, to: &str, runners_min| Schedule {
            days: Vec::new(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            runners_min,
        };
        let schedules = vec![schedule("08:00", "18:00", 4), schedule("12:00", "13:00", 6)];
        let pool = Pool::new(PoolConfig { schedules, ..config() }).unwrap();
        for (hour, min) in [(7, 1), (8, 4), (12, 6), (13, 4), (18, 1)] {
            assert_eq!(pool.runners_min(Timestamp(hour * 3_600_000)), min, "at {hour}");
        }
    }
}
