//! Tries policies of scaling out on a virtual clock: Funcatron's own, the very code that Tron runs, beside a
//! fixed fleet, rules like those of OpenFaaS and Knative, and an oracle that knows the trace.

mod comparison;
mod extrapolation;
mod options;
mod outcome;
mod policies;
mod policy;
mod queue;
mod random;
mod reports;
mod runner;
mod search;
mod svg;
mod table;
#[cfg(test)]
mod tests;
mod trace;
mod world;

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result};

use crate::comparison::Comparison;
use crate::options::Options;
use crate::trace::Trace;
use crate::world::{Limits, World};

#[expect(clippy::print_stdout, reason = "the table is what this is for")]
fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    if options.tells {
        return tell(&options);
    }
    if options.extrapolates {
        println!("{}", extrapolation::of(&options)?);
        return Ok(());
    }
    let comparisons = compare(&options)?;
    println!("{}", table::of(&comparisons));
    if let Some(folder) = &options.svg {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        for comparison in &comparisons {
            let path = folder.join(format!("{}.svg", comparison.trace.replace(' ', "-")));
            fs::write(&path, svg::of(comparison)).with_context(|| format!("write {}", path.display()))?;
        }
    }
    Ok(())
}

/// Prints every change of Funcatron's own policy, and why.
fn tell(options: &Options) -> Result<()> {
    for name in &options.traces {
        let trace = made(options, name)?;
        let mut ours = comparison::ours(options, true)?;
        World::run(&trace, options.settings, &mut ours, options.settings.runners_min, Limits::NONE);
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "it takes minutes, so it says how far it is")]
/// Runs the traces, as many at once as there are processors.
fn compare(options: &Options) -> Result<Vec<Comparison>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some(name) = options.traces.get(next.fetch_add(1, Ordering::Relaxed)) {
            let one = made(options, name)
                .and_then(|trace| Comparison::of(&trace, options))
                .with_context(|| format!("the trace {name}"));
            eprintln!("{name} is done");
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(one);
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut done: Vec<Comparison> = done
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .into_iter()
        .collect::<Result<_>>()?;
    done.sort_by_key(|one| options.traces.iter().position(|name| name == one.trace));
    Ok(done)
}

fn made(options: &Options, name: &str) -> Result<Trace> {
    Trace::named(name, options.settings.shape, options.part, options.settings.seed)
        .with_context(|| format!("no trace is named {name:?}; there are {}", Trace::NAMES.join(", ")))
}
