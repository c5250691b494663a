//! `plan`: what is to be done with each pool, by what is seen now and was seen before.

use std::time::Duration;

use wire::Timestamp;

use crate::history::Past;
use crate::load::Load;
use crate::need::Need;
use crate::reason::{self, Bound};
use crate::service;
use crate::{Effect, History, Listing, Pool, Stats};

/// Runners that start report after some seconds. When none does for so long, something is wrong.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The present moment.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Since any moment, on a clock that nobody sets.
    pub elapsed: Duration,
    /// On the wall clock, for schedules.
    pub utc: Timestamp,
}

/// Says how many runners each pool is to have, and why. Called every half second or second with what is
/// seen then; the same history and stats give the same answer.
pub fn plan(history: &mut History, stats: &Stats, pools: &[Pool], now: Now) -> Vec<Effect> {
    let seen_at = history.seen_at.replace(now.elapsed).unwrap_or(now.elapsed);
    service::learn(&mut history.services, stats, now.elapsed.saturating_sub(seen_at));
    history.pools.retain(|name, _| pools.iter().any(|pool| pool.name() == name));
    let plan_one = |pool: &Pool| {
        let load = Load::of(pool, stats, &history.services);
        let listing = stats.listings.get(pool.name()).copied().unwrap_or_default();
        history.pools.entry(pool.name().clone()).or_default().plan(pool, &load, listing, now)
    };
    pools.iter().map(plan_one).collect()
}

impl Past {
    fn plan(&mut self, pool: &Pool, load: &Load, listing: Listing, now: Now) -> Effect {
        let need = self.observe(pool, load, listing, now);
        let (min, max) = (pool.runners_min(now.utc), pool.runners_max());
        let Listing::Known { current, failed, .. } = listing else {
            return reason::unknown(pool, self.wished.unwrap_or(load.ready).clamp(min, max));
        };
        let before = *self.wished.get_or_insert(current);
        let needed = whole(need.total).max(usize::from(load.is_any()));
        let (wanted, held) = match self.hold(pool, load, current, now) {
            _ if needed >= before => (needed, None),
            Some(bound) => (before, Some(bound)),
            None => {
                let of_late = whole(self.sure.max().max(self.steady.max())).min(before);
                (needed.max(of_late), (of_late > needed).then_some(Bound::Held))
            }
        };
        let runners = wanted.clamp(min, max);
        if runners > before {
            self.grown_at = Some(now.elapsed);
        }
        self.wished = Some(runners);
        let bound = match wanted {
            _ if wanted < min => Some(Bound::Minimum),
            _ if wanted > max => Some(Bound::Maximum(wanted)),
            _ => held,
        };
        let silent = self.silent_since.is_some_and(|since| now.elapsed >= since + SILENCE_MAX);
        Effect {
            pool: pool.name().clone(),
            runners,
            why: reason::why(runners, pool, load, &need, bound),
            alarm: reason::alarm(wanted, max, failed, silent.then_some(current)),
        }
    }

    fn observe(&mut self, pool: &Pool, load: &Load, listing: Listing, now: Now) -> Need {
        let window = pool.config().stable_window;
        self.track.push(now.elapsed, load.share, load.backlog, load.waiting, window);
        let seen = self.track.step().unwrap_or(window).as_secs_f64() / window.as_secs_f64();
        let mix = *self.mix.insert(self.mix.map_or(load.mix, |before| before.towards(load.mix, seen)));
        let need = Need::of(pool, load, mix, &self.track);
        self.sure.push(now.elapsed, need.sure, window);
        self.steady.push(now.elapsed, need.steady, pool.config().panic_window);
        self.ready.push(now.elapsed, load.ready as f64, window);
        if let Listing::Known { current, .. } = listing {
            if self.wished.is_none() {
                // Whoever led before had a reason for as many as there are.
                self.sure.push(now.elapsed, current as f64, window);
            }
            let is_silent = load.ready == 0 && current > 0;
            self.silent_since = is_silent.then(|| self.silent_since.unwrap_or(now.elapsed));
        }
        need
    }

    /// Why nothing may shrink now, whatever is needed.
    fn hold(&self, pool: &Pool, load: &Load, current: usize, now: Now) -> Option<Bound> {
        // A runner that does not report may be serving all the same, as long as the substrate has it.
        let reported = self.ready.max() as usize;
        let is_silent = load.ready < reported.min(current) || (load.ready == 0 && current > 0);
        let is_cooling =
            self.grown_at.is_some_and(|grown_at| now.elapsed < grown_at + pool.config().cooldown);
        if is_silent {
            Some(Bound::Silent)
        } else if is_cooling {
            Some(Bound::Cooling)
        } else {
            None
        }
    }
}

/// As many whole runners; what is a rounding error over a number is not one more.
fn whole(runners: f64) -> usize {
    (runners - 1e-6).ceil().max(0.0) as usize
}
