//! `Failure`: how a call can go wrong inside the sandbox.

use std::time::Duration;

use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::I32Exit;

/// Why a Func did not answer, in words that a client may see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The guest stopped with a trap, a Rust panic among them.
    #[error("the Func trapped: {0}")]
    Trapped(String),
    /// It asked for more memory than a call may have, and could not go on.
    #[error("the Func ran out of memory: a call may use {0} bytes")]
    OutOfMemory(usize),
    /// It ended itself in the way that programs do.
    #[error("the Func exited with status {0}")]
    Exited(i32),
    /// It took longer than the call may.
    #[error("the Func did not answer in {0:?}")]
    TooSlow(Duration),
    /// It computed for longer than the call may.
    #[error("the Func computed for more than {0:?}")]
    TooBusy(Duration),
    /// It returned, and there is no response.
    #[error("the Func set no response")]
    NoResponse,
    /// It handed over an error instead of a response.
    #[error("the Func answered with the error {0}")]
    Refused(String),
    /// Its response is not HTTP, or over a limit.
    #[error("the Func's response is not usable: {0}")]
    Unusable(String),
    /// The store did not take its response.
    #[error("the Func's response could not be kept")]
    NotKept(String),
    /// What it read of its request is not what the client sent.
    #[error("the request's body was lost while the Func read it")]
    RequestLost(String),
    /// It does not start, for want of something that the runner has.
    #[error("the Func could not be started")]
    NotStarted(String),
    /// A fault of ours came up during the call.
    #[error("the call failed inside the runner")]
    Panicked(String),
}

impl Failure {
    /// What an error out of wasmtime means; `exhausted` is whether the guest was refused memory.
    pub(super) fn of(error: &wasmtime::Error, exhausted: Option<usize>) -> Self {
        if let Some(exit) = error.downcast_ref::<I32Exit>() {
            return Self::Exited(exit.0);
        }
        if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
            return Self::NotStarted(error.root_cause().to_string());
        }
        if let Some(memory_max) = exhausted {
            return Self::OutOfMemory(memory_max);
        }
        if let Some(trap) = error.downcast_ref::<Trap>() {
            return Self::Trapped(name(*trap));
        }
        if error.downcast_ref::<ResourceTableError>().is_some() {
            return Self::Trapped("too many resources are open".to_owned());
        }
        Self::Trapped(error.root_cause().to_string())
    }
}

fn name(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "unreachable".to_owned(),
        Trap::StackOverflow => "stack overflow".to_owned(),
        other => other.to_string().trim_start_matches("wasm trap: ").to_owned(),
    }
}
