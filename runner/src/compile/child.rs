//! The child's side: it limits itself, does one order and is gone.

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};
use wasmtime::OptLevel;
use wasmtime::component::Component;

use super::description::describe;
use super::fitness;
use super::order::{Order, Rejection, Report};
use crate::javascript;
use crate::wasm::{Sandbox, engine};

/// Processor time for one order, of all threads together. The largest components that we know
/// take 10 s.
const CPU_SECONDS_MAX: u64 = 30;
/// Address space to compile in; 100,000 functions took 0.6 GB.
const COMPILE_BYTES_MAX: u64 = 2 << 30;
/// Writable memory to run in. Its address space cannot be limited: every linear memory reserves
/// 4 GiB of it.
const DESCRIBE_BYTES_MAX: u64 = 1 << 30;

/// What `funcatron compile` does: one order from standard input, one report on standard output.
pub fn child_main() -> ExitCode {
    match obey() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The parent reads this and tells; without a reader there is nobody to tell.
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn obey() -> wasmtime::Result<()> {
    let mut input = io::stdin().lock();
    let mut line = String::new();
    input.read_line(&mut line)?;
    let order: Order = serde_json::from_str(&line)?;
    limit(&order)?;
    let mut payload = Vec::new();
    input.take(fitness::WASM_BYTES_MAX as u64 + 1).read_to_end(&mut payload)?;
    let (report, artefact) = match order {
        Order::Compile => match compile(&payload)? {
            Ok(artefact) => (Report::Compiled, artefact),
            Err(rejection) => (Report::Rejected(rejection), Vec::new()),
        },
        Order::Describe { artefact, engine } => {
            (describe(&artefact, engine.then_some(&payload))?, Vec::new())
        }
    };
    let mut output = io::stdout().lock();
    writeln!(output, "{}", serde_json::to_string(&report)?)?;
    output.write_all(&artefact)?;
    output.flush()?;
    Ok(())
}

fn limit(order: &Order) -> io::Result<()> {
    let memory = match order {
        Order::Compile => (Resource::As, COMPILE_BYTES_MAX),
        Order::Describe { .. } => (Resource::Data, DESCRIBE_BYTES_MAX),
    };
    for (resource, max) in [memory, (Resource::Cpu, CPU_SECONDS_MAX)] {
        setrlimit(resource, Rlimit { current: Some(max), maximum: Some(max) })?;
    }
    Ok(())
}

fn compile(wasm: &[u8]) -> wasmtime::Result<Result<Vec<u8>, Rejection>> {
    if let Err(rejection) = fitness::check(wasm) {
        return Ok(Err(rejection));
    }
    let sandbox = Sandbox::new(engine::compiling(effort(wasm))?)?;
    let component = match Component::from_binary(sandbox.engine(), wasm) {
        Ok(component) => component,
        Err(error) => return Ok(Err(Rejection::new(format!("func.wasm does not compile: {error:#}")))),
    };
    match sandbox.link(&component) {
        Ok(_) => Ok(Ok(component.serialize()?)),
        Err(unfit) => Ok(Err(Rejection::new(unfit.to_string()))),
    }
}

/// Our own engine arrives optimised, and somebody's very first start waits for it: leaving out the
/// second optimiser saves a fifth of the time and made no difference to the requests it serves.
fn effort(wasm: &[u8]) -> OptLevel {
    if wasm == javascript::ENGINE { OptLevel::None } else { OptLevel::Speed }
}
