//! `State`: what a store holds for one call, and how the host interfaces see it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::p2::bindings::cli::environment;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wire::Stream;

use super::allowance::Allowance;
use super::environment::{Environment, HasEnvironment};
use super::output::Output;
use crate::egress::Egress;
use crate::outside::Tape;

/// Streams, requests, header lists and the like that a guest may hold at a time.
const RESOURCES_MAX: usize = 1000;
/// One list of headers, with the overhead of keeping it in memory.
const FIELDS_BYTES_MAX: usize = 64 << 10;
/// Bytes of strings and lists that one host call may bring over from the guest: the largest thing
/// worth handing over at once is a piece of a body.
const HOSTCALL_BYTES_MAX: usize = 16 << 20;
/// Random bytes in one host call.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// What a store holds for one call.
pub(super) struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    egress: Egress,
    environment: Environment,
    allowance: Allowance,
}

/// What a call needs of its surroundings.
pub(super) struct Surroundings {
    pub(super) environment: Environment,
    pub(super) egress: Egress,
    pub(super) output: Output,
    /// What time and random bytes come from, unless they are real.
    pub(super) tape: Option<Tape>,
    pub(super) memory_max: usize,
    pub(super) exhausted: Arc<AtomicBool>,
}

/// A fresh store for one call.
pub(super) fn fresh(engine: &Engine, surroundings: Surroundings) -> Store<State> {
    let Surroundings { environment, egress, output, tape, memory_max, exhausted } = surroundings;
    let mut table = ResourceTable::new();
    table.set_max_capacity(RESOURCES_MAX);
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(FIELDS_BYTES_MAX);
    let mut wasi = WasiCtx::builder();
    wasi.stdout(output.end(Stream::Stdout))
        .stderr(output.end(Stream::Stderr))
        .max_random_size(RANDOM_BYTES_MAX)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    if let Some(tape) = tape {
        tape.furnish(&mut wasi);
    }
    let wasi = wasi.build();
    let allowance = Allowance::new(memory_max, exhausted);
    let mut store = Store::new(engine, State { table, wasi, http, egress, environment, allowance });
    store.limiter(|state| &mut state.allowance);
    store.set_hostcall_fuel(HOSTCALL_BYTES_MAX);
    store.set_epoch_deadline(1);
    // A plain wake-up would put the guest back in the queue before the event loop has looked at its
    // timers and sockets; tokio's own yield lets it look first.
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))));
    store
}

/// Everything that a Func may import: `wasi:http/proxy`, and the rest of `wasi:cli` that toolchains
/// pull in. There are no files in it and no network but `wasi:http/outgoing-handler`.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    linker.allow_shadowing(true);
    environment::add_to_linker::<State, HasEnvironment>(&mut linker, |state| &mut state.environment)?;
    Ok(linker)
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.egress, table: &mut self.table, ctx: &mut self.http }
    }
}
