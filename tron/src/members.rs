//! `Members`: who has been heard of lately, and how far each is. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use wire::admin::MemberInfo;
use wire::{Heartbeat, MemberId, Role, Timestamp};

/// Members heard of at once: far more than a cluster has, and a bound on what a flood can take.
const MEMBERS_MAX: usize = 4_096;

/// Who has been heard of lately.
#[derive(Debug, Default)]
pub(crate) struct Members {
    all: BTreeMap<MemberId, Member>,
}

#[derive(Debug)]
struct Member {
    info: MemberInfo,
    heard_at: Instant,
}

impl Members {
    /// Takes note of a heartbeat. The time is ours: members' clocks may differ.
    pub(crate) fn hear(&mut self, heartbeat: Heartbeat, now: Instant) {
        if self.all.len() >= MEMBERS_MAX && !self.all.contains_key(&heartbeat.member) {
            return;
        }
        let Heartbeat { member, role, version, failed, .. } = heartbeat;
        let info = MemberInfo { id: member.clone(), role, version, seen_at: Timestamp::now(), failed };
        self.all.insert(member, Member { info, heard_at: now });
    }

    /// Forgets who has been silent for longer than `silence_max`.
    pub(crate) fn forget(&mut self, now: Instant, silence_max: Duration) -> Vec<MemberId> {
        let is_silent = |member: &Member| now.duration_since(member.heard_at) > silence_max;
        self.all.extract_if(.., |_, member| is_silent(member)).map(|(id, _)| id).collect()
    }

    /// Everybody.
    pub(crate) fn infos(&self) -> Vec<MemberInfo> {
        self.all.values().map(|member| member.info.clone()).collect()
    }
}

/// Whether a member of this role that holds `version` lacks something of what is current.
pub(crate) fn is_behind(role: Role, version: u64, deployment: u64) -> bool {
    match role {
        Role::Frontend | Role::Runner => version < deployment,
        // It reads the log itself.
        Role::Tron => false,
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_member_that_falls_silent_is_forgotten() {
        let (mut members, start, silence) = (Members::default(), Instant::now(), Duration::from_secs(3));
        let member = MemberId::generate(Role::Runner);
        members.hear(Heartbeat::now(member.clone(), Role::Runner, 1), start);
        assert!(members.forget(start + silence, silence).is_empty());
        assert_eq!(members.forget(start + silence * 2, silence), [member]);
        assert!(members.infos().is_empty());
    }

    #[test]
    fn whoever_follows_us_is_behind_until_it_has_our_deployment() {
        for role in [Role::Frontend, Role::Runner] {
            assert!(is_behind(role, 4, 5));
            assert!(!is_behind(role, 5, 5) && !is_behind(role, 6, 5));
        }
        assert!(!is_behind(Role::Tron, 0, 5));
    }
}
