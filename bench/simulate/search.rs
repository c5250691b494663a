//! Searches for the best of a family of policies: what each can do is what it is compared by.

use anyhow::{Context, Result};

use crate::outcome::Outcome;
use crate::policies::{Alert, Fixed, OpenFaas, Oracle, Rule};
use crate::policy::Policy;
use crate::trace::Trace;
use crate::world::{Limits, Settings, World};

/// This part of all requests has to be on time.
const ON_TIME: f64 = 0.99;
/// Seconds for which an oracle may keep a size. All are tried, the likely ones first.
const BLOCKS: [usize; 5] = [10, 3, 60, 1, 3600];
/// What an oracle may have over what is needed, and how exactly that is found.
const HEADROOM: std::ops::Range<f64> = 0.9..2.0;
const HEADROOM_STEP: f64 = 0.005;

/// One request in so many is as good as none.
const NOBODY: u64 = 10_000;

/// Where policies are tried.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) demand: &'a [f64],
    pub(crate) settings: Settings,
    /// Runners at the beginning.
    pub(crate) begin: usize,
}

impl Search<'_> {
    pub(crate) fn run(&self, policy: &mut dyn Policy, limits: Limits) -> Option<Outcome> {
        World::run(self.trace, self.settings, policy, self.begin, limits)
    }

    fn on_time(&self) -> Limits {
        let late = self.trace.requests.len() as f64 * (1.0 - ON_TIME);
        Limits { late: late as u64, ..Limits::NONE }
    }

    /// The smallest fleet that never changes and has enough on time.
    pub(crate) fn fixed(&self) -> Result<(usize, Outcome)> {
        let run = |runners| self.run(&mut Fixed(runners), self.on_time());
        let (mut too_few, mut enough) = (0, self.settings.runners_max);
        let mut best = run(enough).context("the maximum is not enough")?;
        while enough - too_few > 1 {
            let middle = too_few.midpoint(enough);
            match run(middle) {
                Some(outcome) => (enough, best) = (middle, outcome),
                None => too_few = middle,
            }
        }
        Ok((enough, best))
    }

    /// The cheapest oracle that has enough on time: for each length of blocks with the smallest headroom.
    pub(crate) fn oracle(&self) -> Result<Outcome> {
        let mut best: Option<Outcome> = None;
        for block in BLOCKS {
            let with = |headroom: f64| Oracle::new(self.demand, block, headroom, self.settings.start);
            let budget = best.as_ref().map_or(f64::INFINITY, |best| best.runner_seconds);
            // More than what the best so far had would not be better.
            let affordable = |headroom: &f64| with(*headroom).runner_seconds() < budget;
            let steps = ((HEADROOM.end - HEADROOM.start) / HEADROOM_STEP) as u32;
            let headrooms = (0..=steps).map(|step| HEADROOM.start + f64::from(step) * HEADROOM_STEP);
            let headrooms: Vec<f64> = headrooms.take_while(affordable).collect();
            let found = smallest(&headrooms, |headroom| self.run(&mut with(headroom), self.on_time()));
            best = found.filter(|found| found.runner_seconds < budget).or(best);
        }
        best.context("no oracle has enough on time")
    }

    /// The rule like OpenFaaS's that has the fewest late for no more runner-seconds than this. Whoever sets it
    /// knows the trace: its mean, its least and its most.
    pub(crate) fn openfaas(&self, runner_seconds: f64) -> Option<(Rule, Outcome)> {
        let mut best: Option<(Rule, Outcome)> = None;
        for rule in self.rules() {
            let late = best.as_ref().map_or(u64::MAX, |(_, best)| best.late.saturating_sub(1));
            if late < self.trace.requests.len() as u64 / NOBODY {
                break;
            }
            if let Some(outcome) = self.run(&mut OpenFaas::new(rule), Limits { late, runner_seconds }) {
                best = Some((rule, outcome));
            }
        }
        best
    }

    fn rules(&self) -> Vec<Rule> {
        let smooth: Vec<f64> =
            self.demand.chunks(10).map(|chunk| chunk.iter().sum::<f64>() / chunk.len() as f64).collect();
        let least = smooth.iter().copied().fold(f64::INFINITY, f64::min);
        let most = smooth.iter().copied().fold(0.0, f64::max);
        let mean = smooth.iter().sum::<f64>() / smooth.len().max(1) as f64;
        let with_room =
            |load: f64, room: f64| ((load * room).ceil() as usize).clamp(1, self.settings.runners_max);
        let mut rules = Vec::new();
        for max in [with_room(most, 1.02), with_room(most, 1.25)] {
            for min in [with_room(mean, 1.05), with_room(least, 1.25), 1] {
                for part in [0.5, 0.7, 0.9] {
                    rules.push(Rule { alert: Alert::PerReplica, threshold: part, min, max });
                }
                for threshold in [min as f64 * 0.7, f64::midpoint(least, mean)] {
                    rules.push(Rule { alert: Alert::Sum, threshold, min, max });
                }
            }
        }
        rules
    }
}

/// What comes of the smallest headroom that is enough. The last, if any, is the most that may be tried.
fn smallest(headrooms: &[f64], run: impl Fn(f64) -> Option<Outcome>) -> Option<Outcome> {
    let mut enough = headrooms.len().checked_sub(1)?;
    let mut best = run(headrooms[enough])?;
    let mut from = 0;
    while from < enough {
        let middle = from.midpoint(enough);
        match run(headrooms[middle]) {
            Some(outcome) => (enough, best) = (middle, outcome),
            None => from = middle + 1,
        }
    }
    Some(best)
}
