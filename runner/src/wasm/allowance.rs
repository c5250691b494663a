//! `Allowance`: the memory, tables and instances that one call may have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmtime::ResourceLimiter;

use super::engine::{INSTANCES_MAX, MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX};

/// What one call may have, all instances of its component together.
pub(super) struct Allowance {
    memory_left: usize,
    elements_left: usize,
    /// Set when memory was refused, so that the trap that follows can be called by its name.
    exhausted: Arc<AtomicBool>,
}

impl Allowance {
    pub(super) fn new(memory_max: usize, exhausted: Arc<AtomicBool>) -> Self {
        Self { memory_left: memory_max, elements_left: TABLE_ELEMENTS_MAX, exhausted }
    }
}

impl ResourceLimiter for Allowance {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = grow(&mut self.memory_left, current, desired, maximum);
        if !granted {
            self.exhausted.store(true, Ordering::Relaxed);
        }
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(grow(&mut self.elements_left, current, desired, maximum))
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}

/// Takes what the growth needs from what is left, if that and the guest's own maximum allow it.
fn grow(left: &mut usize, current: usize, desired: usize, maximum: Option<usize>) -> bool {
    let more = desired.saturating_sub(current);
    let granted = more <= *left && maximum.is_none_or(|maximum| desired <= maximum);
    if granted {
        *left -= more;
    }
    granted
}
