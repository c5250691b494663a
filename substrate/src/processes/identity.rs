//! `Identity`: one process for all time, since its number alone is given to another one later.

use std::fs;
use std::io;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

/// A process by its number and the moment of its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) pid: u32,
    /// In the machine's ticks since it was booted; and which boot that was.
    start: u64,
    boot: String,
}

impl Identity {
    pub(super) fn of_this_process() -> io::Result<Self> {
        Self::of(std::process::id())
    }

    /// Of a child that nobody has waited for yet.
    pub(super) fn of_child(pid: Option<u32>) -> io::Result<Self> {
        Self::of(pid.ok_or_else(|| io::Error::other("it has ended"))?)
    }

    /// The process that was started as this instance, whoever did that.
    pub(super) fn of_instance(instance: &str) -> Option<Self> {
        let variable = format!("FUNCATRON_INSTANCE={instance}");
        let mut processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
        processes.find_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let environment = fs::read(entry.path().join("environ")).ok()?;
            // Its own children have the same environment, and it came before them: what matters is its group.
            let is_first = stat(pid).ok()?.group == pid;
            let is_it = environment.split(|byte| *byte == 0).any(|found| found == variable.as_bytes());
            if is_it && is_first { Self::of(pid).ok() } else { None }
        })
    }

    fn of(pid: u32) -> io::Result<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
        Ok(Self { pid, start: stat(pid)?.start, boot })
    }

    /// Whether it runs: one that has ended and that nobody has waited for does not.
    pub(super) fn is_alive(&self) -> bool {
        let is_ended = |stat: Stat| matches!(stat.state, 'Z' | 'X');
        stat(self.pid).is_ok_and(|stat| !is_ended(stat))
            && Self::of(self.pid).is_ok_and(|found| found == *self)
    }

    /// Asks it to end.
    pub(super) fn terminate(&self) {
        self.signal(|pid| kill_process(pid, Signal::TERM));
    }

    /// Ends it, with everything that it has started.
    pub(super) fn kill(&self) {
        self.signal(|pid| kill_process_group(pid, Signal::KILL));
    }

    fn signal(&self, send: impl FnOnce(Pid) -> rustix::io::Result<()>) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let (Some(pid), true) = (pid, self.is_alive()) {
            // It may end between the two; that is what the signal is for.
            let _ended = send(pid);
        }
    }
}

/// What is of interest of `/proc/<pid>/stat`.
#[derive(Clone, Copy, Debug)]
struct Stat {
    state: char,
    group: u32,
    start: u64,
}

fn stat(pid: u32) -> io::Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    parse(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/<pid>/stat"))
}

/// The second field is the program's name in parentheses, which may have any others in it; the third stands after
/// the last one.
fn parse(text: &str) -> Option<Stat> {
    let (_name, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        group: fields.get(2)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_be_called_anything() {
        let line = "7 (a) R 1 (b)) S 1 9 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        let stat = parse(line).unwrap();
        assert_eq!((stat.state, stat.group, stat.start), ('S', 9, 4711));
    }

    #[test]
    fn a_number_that_went_to_another_process_is_not_the_same_process() {
        let here = Identity::of_this_process().unwrap();
        assert!(here.is_alive());
        assert!(!Identity { start: here.start - 1, ..here.clone() }.is_alive());
        assert!(!Identity { boot: String::new(), ..here }.is_alive());
    }
}
