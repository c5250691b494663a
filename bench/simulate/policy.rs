//! `Policy`: who decides how many runners there are to be.

use crate::world::World;

/// Decides how many runners there are to be, by what it may know.
pub(crate) trait Policy {
    /// Microseconds between two decisions.
    fn interval(&self) -> u64;
    /// How many there are to be now.
    fn runners(&mut self, world: &World<'_>) -> usize;
    /// Whether it needs what runners report.
    fn reads_reports(&self) -> bool {
        false
    }
}
