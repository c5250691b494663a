//! A fleet that never changes.

use crate::policy::Policy;
use crate::trace::SECOND;
use crate::world::World;

/// So many runners, always.
pub(crate) struct Fixed(pub(crate) usize);

impl Policy for Fixed {
    fn interval(&self) -> u64 {
        SECOND
    }

    fn runners(&mut self, _world: &World<'_>) -> usize {
        self.0
    }
}
