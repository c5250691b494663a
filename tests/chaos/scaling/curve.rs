//! `Curve`: how a pool went over time, and when what began. Pure.

use std::time::Duration;

use super::watch::Sample;

/// What was seen of a pool, oldest first.
#[derive(Clone, Default)]
pub(crate) struct Curve(pub(crate) Vec<Sample>);

/// How a pool answered a burst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Growth {
    /// From the first message that waited in the broker until there was one more runner.
    pub(crate) order: Option<Duration>,
    /// From then until one more served.
    pub(crate) serving: Option<Duration>,
    /// From the first message that waited until none did, after the longest queue.
    pub(crate) drained: Option<Duration>,
    pub(crate) waiting_max: usize,
    pub(crate) runners_max: usize,
    pub(crate) serving_max: usize,
}

impl Curve {
    pub(crate) fn last(&self) -> Option<&Sample> {
        self.0.last()
    }

    /// How long the first runner took from its start until it served.
    pub(crate) fn start(&self) -> Option<Duration> {
        let begun = self.first(Duration::ZERO, |sample| sample.running() > 0)?;
        Some(self.first(begun, |sample| sample.serving > 0)?.saturating_sub(begun))
    }

    /// How it answered what came from this moment on.
    pub(crate) fn growth(&self, from: Duration) -> Growth {
        let since = || self.0.iter().filter(|sample| sample.at >= from);
        let before = self.0.iter().take_while(|sample| sample.at < from).last();
        let (runners, serving) = before.map_or((0, 0), |before| (before.running(), before.serving));
        let waited = self.first(from, |sample| sample.waiting > 0);
        let ordered = self.first(from, |sample| sample.running() > runners);
        let served = self.first(from, |sample| sample.serving > serving);
        let longest = since().max_by_key(|sample| sample.waiting).map(|sample| sample.at);
        let drained = longest.and_then(|longest| self.first(longest, |sample| sample.waiting == 0));
        let between = |from: Option<Duration>, to: Option<Duration>| Some(to?.saturating_sub(from?));
        Growth {
            order: between(waited, ordered),
            serving: between(ordered, served),
            drained: between(waited, drained),
            waiting_max: since().map(|sample| sample.waiting).max().unwrap_or_default(),
            runners_max: since().map(Sample::running).max().unwrap_or_default(),
            serving_max: since().map(|sample| sample.serving).max().unwrap_or_default(),
        }
    }

    fn first(&self, from: Duration, accept: impl Fn(&Sample) -> bool) -> Option<Duration> {
        self.0.iter().find(|sample| sample.at >= from && accept(sample)).map(|sample| sample.at)
    }
}
