//! `Process`: what a process takes of its machine, by the names that all of Prometheus' clients use.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use rustix::time::{ClockId, clock_gettime};
use wire::{MemberId, Role};

use crate::{Metric, Page, Source};

static CPU: Metric = Metric::counter("process_cpu_seconds", &[], "Processor time that the process has used.");
static MEMORY: Metric =
    Metric::gauge("process_resident_memory_bytes", &[], "Memory that the process holds, as the kernel says.");
static FILES: Metric =
    Metric::gauge("process_open_fds", &[], "Files and connections that the process has open.");
static START: Metric =
    Metric::gauge("process_start_time_seconds", &[], "When the process began, since the epoch.");
static MEMBER: Metric =
    Metric::gauge("funcatron_member_info", &["member", "role", "version"], "Who this process is; always 1.");

/// What a process takes of its machine, and which members it is.
#[derive(Debug)]
pub struct Process {
    members: Vec<(Role, MemberId)>,
    version: &'static str,
    started: SystemTime,
}

impl Process {
    /// This process, which is these members.
    pub fn new(members: Vec<(Role, MemberId)>, version: &'static str) -> Self {
        Self { members, version, started: SystemTime::now() }
    }
}

#[async_trait]
impl Source for Process {
    async fn tell(&self, page: &mut Page) {
        page.add(&CPU, &[], cpu_seconds());
        page.add(&START, &[], self.started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64());
        // Only Linux says; what it says comes from memory, so that nobody waits for it.
        if let Some(bytes) = resident_bytes() {
            page.count(&MEMORY, &[], bytes);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            page.count(&FILES, &[], files.count() as u64);
        }
        for (role, member) in &self.members {
            page.count(&MEMBER, &[member.as_str(), &role.to_string(), self.version], 1);
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "seconds")]
fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}
