//! The sandbox: components, loaded once and run in a fresh instance for each call.

mod allowance;
pub(crate) mod engine;
mod environment;
mod failure;
mod func;
mod meter;
mod outlet;
mod output;
mod request_body;
mod response;
mod store;

use std::fmt;
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use crate::Config;
use store::State;

pub(crate) use environment::Environment;
pub(crate) use failure::Failure;
pub(crate) use func::{Call, Func, Outcome};
pub(crate) use outlet::{Admits, Outlet};
pub(crate) use request_body::RequestBody;
pub(crate) use response::Response;

/// What every call is held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) memory_max: usize,
    pub(crate) cpu_max: Duration,
    pub(crate) response_bytes_max: usize,
    pub(crate) log_bytes_max: usize,
}

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        Self {
            memory_max: config.memory_max,
            cpu_max: config.cpu_max,
            response_bytes_max: config.response_bytes_max,
            log_bytes_max: config.log_bytes_max,
        }
    }
}

/// An engine and everything that components may import.
pub(crate) struct Sandbox {
    engine: Engine,
    linker: Linker<State>,
}

/// A component that is ready to be instantiated. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Program(ProxyPre<State>);

/// A component that cannot be a Func.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    /// It imports what no Func gets, or something that differs from what it expects.
    #[error("component imports what a Func cannot have: {0}")]
    Imports(String),
    /// It does not answer requests.
    #[error("component does not export wasi:http/incoming-handler: {0}")]
    Exports(String),
}

impl Sandbox {
    pub(crate) fn new(engine: Engine) -> wasmtime::Result<Self> {
        let linker = store::linker(&engine)?;
        Ok(Self { engine, linker })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Links a component.
    pub(crate) fn link(&self, component: &Component) -> Result<Program, Unfit> {
        let instance =
            self.linker.instantiate_pre(component).map_err(|error| Unfit::Imports(chain(&error)))?;
        ProxyPre::new(instance).map(Program).map_err(|error| Unfit::Exports(chain(&error)))
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

fn chain(error: &wasmtime::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
