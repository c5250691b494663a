//! Funcatron's own policy: the very code that Tron runs.

use std::time::Duration;

use scaling::{History, Now, Pool, plan};
use wire::Timestamp;

use crate::policy::Policy;
use crate::trace::SECOND;
use crate::world::World;

/// Funcatron's own policy.
pub(crate) struct Ours {
    pub(crate) pools: Vec<Pool>,
    pub(crate) history: History,
    /// Microseconds between two decisions.
    pub(crate) tick: u64,
    /// Whether each change is told, and why.
    pub(crate) tells: bool,
    pub(crate) last: usize,
}

impl Ours {
    pub(crate) fn new(pool: Pool, tick: u64, tells: bool) -> Self {
        Self { pools: vec![pool], history: History::new(), tick, tells, last: 0 }
    }
}

impl Policy for Ours {
    fn interval(&self) -> u64 {
        self.tick
    }

    #[expect(clippy::print_stdout, reason = "this is what was asked for")]
    fn runners(&mut self, world: &World<'_>) -> usize {
        let now = Now { elapsed: Duration::from_micros(world.now), utc: Timestamp(world.now / 1000) };
        let effects = plan(&mut self.history, &world.reports.stats, &self.pools, now);
        let Some(effect) = effects.into_iter().next() else { return 0 };
        if self.tells && effect.runners != self.last {
            println!("{:8.1} s  {}", world.now as f64 / SECOND as f64, effect.why);
        }
        self.last = effect.runners;
        effect.runners
    }

    fn reads_reports(&self) -> bool {
        true
    }
}
