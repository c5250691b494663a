//! The program that stands in for a runner, and what the machine tells of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

const SIGTERM_BIT: u64 = 1 << (15 - 1);

/// Compiles it: without anything that it links, since it is all that there is in an image.
pub(crate) fn stand_in() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/stand_in.c");
    let (program, fresh) = (folder.join("stand-in"), folder.join(format!("stand-in-{}", std::process::id())));
    let is_newer =
        |built: fs::Metadata| Some(built.modified().ok()? > fs::metadata(source).ok()?.modified().ok()?);
    if fs::metadata(&program).ok().and_then(is_newer) != Some(true) {
        let compiled = Command::new("cc").args(["-static", "-O1", "-o"]).arg(&fresh).arg(source).status();
        assert!(compiled.expect("a C compiler: run 'make setup'").success());
        // Other tests may do the same: whoever is last wins, with the same program.
        fs::rename(&fresh, &program).unwrap();
    }
    program
}

/// The process that runs as this instance, in a container or not.
pub(crate) fn pid(instance: &str) -> Option<i32> {
    pids(&format!("FUNCATRON_INSTANCE={instance}")).next()
}

/// How many have this in their environment.
pub(crate) fn count(variable: &str) -> usize {
    pids(variable).count()
}

fn pids(variable: &str) -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").unwrap().filter_map(Result::ok).filter_map(move |entry| {
        let environment = fs::read(entry.path().join("environ")).ok()?;
        let has_it = environment.split(|byte| *byte == 0).any(|found| found == variable.as_bytes());
        // Between its start and the program's own there are others with its environment.
        let is_program = fs::read_link(entry.path().join("exe")).ok()?.ends_with("stand-in");
        if has_it && is_program { entry.file_name().to_str()?.parse().ok() } else { None }
    })
}

/// Whether it has come so far that it hears what it is told.
pub(crate) fn is_up(instance: &str) -> bool {
    let status = pid(instance).and_then(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok());
    let caught =
        status.as_deref().and_then(|status| status.split("SigCgt:").nth(1)?.split_whitespace().next());
    caught.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask & SIGTERM_BIT != 0)
}

/// Sends it a signal, if it is there.
pub(crate) fn signal(instance: &str, signal: Signal) {
    if let Some(pid) = pid(instance).and_then(Pid::from_raw) {
        kill_process(pid, signal).unwrap();
    }
}
