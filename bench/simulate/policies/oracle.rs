//! An oracle: it knows the trace, and how little is enough.

use crate::policy::Policy;
use crate::trace::SECOND;
use crate::world::World;

/// Has for each block of time as many runners as its calls need, started ahead so that they serve when it
/// begins, times a headroom that is the same always.
pub(crate) struct Oracle {
    /// Runners for each second.
    plan: Vec<usize>,
}

impl Oracle {
    pub(crate) fn new(demand: &[f64], block: usize, headroom: f64, start: u64) -> Self {
        let needed = demand.chunks(block).flat_map(|block| {
            let mean = block.iter().sum::<f64>() / block.len() as f64;
            std::iter::repeat_n((mean * headroom).ceil() as usize, block.len())
        });
        let needed: Vec<usize> = needed.collect();
        // What is to serve is ordered ahead; what is not needed any more goes when it is not.
        let ahead = start.div_ceil(SECOND) as usize;
        let window = |at: usize| needed.get(at..(at + ahead + 1).min(needed.len())).unwrap_or_default();
        let plan = (0..needed.len()).map(|at| window(at).iter().copied().max().unwrap_or_default()).collect();
        Self { plan }
    }

    /// What it would cost if no runner crashed and none had anything to finish.
    pub(crate) fn runner_seconds(&self) -> f64 {
        self.plan.iter().map(|runners| *runners as f64).sum()
    }
}

impl Policy for Oracle {
    fn interval(&self) -> u64 {
        SECOND
    }

    fn runners(&mut self, world: &World<'_>) -> usize {
        let second = (world.now / SECOND) as usize;
        self.plan.get(second).or(self.plan.last()).copied().unwrap_or_default()
    }
}
