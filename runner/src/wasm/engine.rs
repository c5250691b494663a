//! The wasmtime engines: one that compiles, in the child, and one that runs, with its clock.

use std::time::Duration;

use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// How often a running guest is interrupted so that others on its thread get their turn: short
/// enough for a neighbour not to be felt, long enough to cost nothing.
const TICK: Duration = Duration::from_millis(5);
/// What one guest may have of each; the toolchains that we know use one memory, few tables and, for
/// an interpreter, a dozen core instances.
pub(super) const MEMORIES_MAX: usize = 4;
pub(super) const TABLES_MAX: usize = 16;
pub(super) const INSTANCES_MAX: usize = 64;
/// The largest table of the interpreters that we know has some 20,000 elements.
pub(super) const TABLE_ELEMENTS_MAX: usize = 100_000;
/// Memory that a slot keeps between calls, so that the next one finds its pages in place. An
/// interpreter touches 1 to 4 MiB in a call.
const MEMORY_KEPT: usize = 4 << 20;
const TABLE_KEPT: usize = 64 << 10;
/// Metadata of one instance; interpreters need some 100 KiB.
const INSTANCE_BYTES_MAX: usize = 4 << 20;

/// The settings that compiled code depends on: the same wherever we compile and run.
fn settings() -> wasmtime::Config {
    let mut settings = wasmtime::Config::new();
    settings.epoch_interruption(true);
    settings
}

/// An engine for the child process to compile with.
pub(crate) fn compiling(effort: OptLevel) -> wasmtime::Result<Engine> {
    let mut settings = settings();
    settings.cranelift_opt_level(effort);
    Engine::new(&settings)
}

/// An engine for the child process to run one instance at a time.
pub(crate) fn single() -> wasmtime::Result<Engine> {
    let engine = Engine::new(&settings())?;
    start_clock(&engine)?;
    Ok(engine)
}

/// An engine with room for `slots` calls at a time, of `memory_max` bytes each.
pub(crate) fn pooled(slots: usize, memory_max: usize) -> wasmtime::Result<Engine> {
    let slots = u32::try_from(slots)?;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        .total_core_instances(slots.saturating_mul(16))
        .total_memories(slots.saturating_mul(2))
        .total_tables(slots.saturating_mul(4))
        .max_core_instances_per_component(u32::try_from(INSTANCES_MAX)?)
        .max_memories_per_component(u32::try_from(MEMORIES_MAX)?)
        .max_tables_per_component(u32::try_from(TABLES_MAX)?)
        .max_component_instance_size(INSTANCE_BYTES_MAX)
        .max_core_instance_size(INSTANCE_BYTES_MAX)
        .max_memory_size(memory_max)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(MEMORY_KEPT)
        .table_keep_resident(TABLE_KEPT)
        .pagemap_scan(Enabled::Auto);
    let mut settings = settings();
    settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&settings)?;
    start_clock(&engine)?;
    Ok(engine)
}

/// Interrupts guests for as long as the engine lives. It is a plain thread: an event loop that guests keep busy could not interrupt them.
fn start_clock(engine: &Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new().name("func-clock".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}
