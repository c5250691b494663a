//! A policy like OpenFaaS's: an alert on requests per second over 10 s that holds for 5 s. While it fires, a
//! fifth of the maximum is added every 5 s; when it is resolved, the minimum is what remains.
//!
//! The rule as it is shipped sums over all replicas; people write it by replica as well. The threshold is a part
//! of what one of our runners answers in a second.

use std::collections::VecDeque;
use std::fmt;

use crate::policy::Policy;
use crate::trace::SECOND;
use crate::world::World;

const RATE_WINDOW: u64 = 10 * SECOND;
/// Prometheus looks as often, and the alert is repeated as often.
const INTERVAL: u64 = 5 * SECOND;
const STEP_PERCENT: usize = 20;

/// What an operator of OpenFaaS decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) alert: Alert,
    /// The requests of so many runners that are as busy as they can be.
    pub(crate) threshold: f64,
    pub(crate) min: usize,
    pub(crate) max: usize,
}

/// As `over 0.7 each, 1 to 80`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = if self.alert == Alert::Sum { "in all" } else { "each" };
        write!(f, "over {:.1} {of}, {} to {}", self.threshold, self.min, self.max)
    }
}

/// What is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alert {
    /// Requests of all replicas together, as shipped.
    Sum,
    /// Requests of one.
    PerReplica,
}

/// Like OpenFaaS.
pub(crate) struct OpenFaas {
    rule: Rule,
    /// When, and how many requests were answered until then.
    points: VecDeque<(u64, u64)>,
    over_since: Option<u64>,
    wished: Option<usize>,
}

impl OpenFaas {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, points: VecDeque::new(), over_since: None, wished: None }
    }

    fn rate(&self) -> f64 {
        let (Some((from, first)), Some((to, last))) = (self.points.front(), self.points.back()) else {
            return 0.0;
        };
        (last - first) as f64 * SECOND as f64 / (to - from).max(1) as f64
    }
}

impl Policy for OpenFaas {
    fn interval(&self) -> u64 {
        INTERVAL
    }

    fn runners(&mut self, world: &World<'_>) -> usize {
        let (now, Rule { alert, threshold, min, max }) = (world.now, self.rule);
        self.points.push_back((now, world.answered));
        while self.points.get(1).is_some_and(|(at, _)| at + RATE_WINDOW <= now) {
            self.points.pop_front();
        }
        let current = self.wished.unwrap_or(world.current()).max(min);
        let replicas = if alert == Alert::Sum { 1 } else { current.max(1) };
        let is_over = self.rate() / replicas as f64 > threshold * world.trace.usable / world.trace.service;
        let was_firing = self.over_since.is_some_and(|since| since + INTERVAL <= now);
        self.over_since = is_over.then(|| self.over_since.unwrap_or(now));
        let is_firing = self.over_since.is_some_and(|since| since + INTERVAL <= now);
        let wished = if is_firing {
            let step = (max * STEP_PERCENT).div_ceil(100);
            (current + step).min(max)
        } else if was_firing {
            min
        } else {
            current
        };
        self.wished = Some(wished);
        wished
    }
}
