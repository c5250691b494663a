//! `Members`: who has been heard of lately, and how far each is. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use wire::admin::MemberInfo;
use wire::{Heartbeat, MemberId, PoolReport, Role, RunnerReport, Timestamp};

use crate::fleet::{Fleet, Pool, Runner};

/// Members heard of at once: far more than a cluster has, and a bound on what a flood can take.
pub(crate) const MEMBERS_MAX: usize = 4_096;

/// Who has been heard of lately.
#[derive(Debug)]
pub(crate) struct Members {
    all: BTreeMap<MemberId, Member>,
    /// Counts what matters to who could run what.
    revision: u64,
    silence_max: Duration,
    heard_at: Option<Instant>,
    /// Since when somebody was heard all the time. At least we are, from then on.
    attentive_since: Option<Instant>,
}

#[derive(Debug)]
struct Member {
    info: MemberInfo,
    /// How many Funcs it holds at most.
    funcs_max: Option<usize>,
    /// Its pools that may have runners.
    pools: Vec<Pool>,
    heard_at: Instant,
}

impl Members {
    /// Nobody yet. Who is silent for longer than `silence_max` is gone.
    pub(crate) fn new(silence_max: Duration) -> Self {
        let (all, revision, heard_at, attentive_since) = Default::default();
        Self { all, revision, silence_max, heard_at, attentive_since }
    }

    /// Takes note of a heartbeat. The time is ours: members' clocks may differ.
    pub(crate) fn hear(&mut self, heartbeat: Heartbeat, now: Instant) {
        if self.is_deaf(now) {
            self.attentive_since = Some(now);
        }
        self.heard_at = Some(now);
        if self.all.len() >= MEMBERS_MAX && !self.all.contains_key(&heartbeat.member) {
            return;
        }
        let (id, member) = (heartbeat.member.clone(), Member::of(heartbeat, now));
        let after = member.offer();
        let before = self.all.insert(id, member);
        if before.is_none_or(|before| before.offer() != after) {
            self.revision += 1;
        }
    }

    /// Forgets who has been silent for too long.
    pub(crate) fn forget(&mut self, now: Instant) -> Vec<MemberId> {
        let is_silent = |member: &Member| now.duration_since(member.heard_at) > self.silence_max;
        let forgotten: Vec<_> =
            self.all.extract_if(.., |_, member| is_silent(member)).map(|(id, _)| id).collect();
        self.revision += u64::from(!forgotten.is_empty());
        forgotten
    }

    /// Everybody.
    pub(crate) fn infos(&self) -> impl Iterator<Item = &MemberInfo> {
        self.all.values().map(|member| &member.info)
    }

    /// Who could run Funcs.
    pub(crate) fn fleet(&self) -> Fleet {
        let runners = self.all.values().filter(|member| member.info.role == Role::Runner);
        let staying = runners.filter(|runner| !runner.info.leaving);
        Fleet {
            runners: staying.map(Member::runner).collect(),
            // Those of a Tron that leaves included: until it is forgotten, another one has taken them over.
            pools: self.all.values().flat_map(|member| member.pools.iter().cloned()).collect(),
        }
    }

    /// Whether there is a runner that cannot hold just anything.
    pub(crate) fn are_bounded(&self) -> bool {
        self.all.values().any(|member| member.funcs_max.is_some())
    }

    /// Whether this Tron is the first of those that are there: for what only one of them is to say.
    pub(crate) fn leads(&self, us: &MemberId) -> bool {
        let mut trons = self.all.values().filter(|member| member.info.role == Role::Tron);
        trons.find(|tron| !tron.info.leaving).is_some_and(|first| first.info.id == *us)
    }

    /// Which [`Members::fleet`] this is; none while there may be somebody whom we have not heard of.
    pub(crate) fn revision(&self, now: Instant) -> Option<u64> {
        let since = self.attentive_since.filter(|_| !self.is_deaf(now))?;
        (now.duration_since(since) > self.silence_max).then_some(self.revision)
    }

    /// Whether we would not have heard anybody: even our own heartbeats are missing. It shows before the first
    /// member is taken for gone.
    fn is_deaf(&self, now: Instant) -> bool {
        self.heard_at.is_none_or(|heard_at| now.duration_since(heard_at) > self.silence_max * 2 / 3)
    }
}

impl Member {
    fn of(heartbeat: Heartbeat, heard_at: Instant) -> Self {
        let Heartbeat { member, role, version, failed, leaving, runner, pools, .. } = heartbeat;
        let RunnerReport { labels, funcs_max, .. } = runner.unwrap_or_default();
        let pools = pools.into_iter().filter(|pool| pool.runners_max > 0).map(pool).collect();
        let seen_at = Timestamp::now();
        let info = MemberInfo { id: member, role, version, seen_at, failed, leaving, labels };
        Self { info, funcs_max, pools, heard_at }
    }

    fn runner(&self) -> Runner {
        let MemberInfo { id, labels, .. } = &self.info;
        Runner { id: id.clone(), labels: labels.clone(), funcs_max: self.funcs_max }
    }

    /// What it means for who could run what.
    fn offer(&self) -> (bool, Runner, Vec<Pool>) {
        (self.info.leaving, self.runner(), self.pools.clone())
    }
}

fn pool(report: PoolReport) -> Pool {
    let grows = report.wanted < report.runners_max || report.ready < report.wanted;
    Pool { labels: report.labels, grows }
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

    const SILENCE: Duration = Duration::from_secs(3);
    const SECOND: Duration = Duration::from_secs(1);

    fn runner(labels: &str) -> Heartbeat {
        let report = RunnerReport { labels: labels.parse().unwrap(), ..RunnerReport::default() };
        let member = MemberId::generate(Role::Runner);
        Heartbeat { runner: Some(report), ..Heartbeat::now(member, Role::Runner, 1) }
    }

    #[test]
    fn a_member_that_falls_silent_is_forgotten() {
        let (mut members, start) = (Members::new(SILENCE), Instant::now());
        let member = MemberId::generate(Role::Runner);
        members.hear(Heartbeat::now(member.clone(), Role::Runner, 1), start);
        assert!(members.forget(start + SILENCE).is_empty());
        assert_eq!(members.forget(start + SILENCE * 2), [member]);
        assert!(members.infos().next().is_none());
    }

    #[test]
    fn who_leaves_is_listed_and_not_counted_on() {
        let (mut members, now) = (Members::new(SILENCE), Instant::now());
        let there = runner("gpu=true");
        members.hear(there.clone(), now);
        assert_eq!(members.fleet().runners[0].labels, "gpu=true".parse().unwrap());
        members.hear(Heartbeat { leaving: true, ..there }, now);
        assert!(members.fleet().runners.is_empty());
        assert!(members.infos().map(|info| info.leaving).eq([true]));
    }

    #[test]
    fn the_first_tron_that_stays_leads() {
        let (mut members, now) = (Members::new(SILENCE), Instant::now());
        let [first, second] = ["tron-a", "tron-b"].map(|id| MemberId::parse(id).unwrap());
        assert!(!members.leads(&second));
        for id in [&second, &first] {
            members.hear(Heartbeat::now(id.clone(), Role::Tron, 1), now);
        }
        assert!(members.leads(&first) && !members.leads(&second));
        members.hear(Heartbeat { leaving: true, ..Heartbeat::now(first.clone(), Role::Tron, 1) }, now);
        assert!(members.leads(&second) && !members.leads(&first));
    }

    #[test]
    fn who_is_there_is_known_after_a_while_of_listening() {
        let (mut members, start) = (Members::new(SILENCE), Instant::now());
        let us = Heartbeat::now(MemberId::generate(Role::Tron), Role::Tron, 1);
        let hear = |members: &mut Members, second: u32| members.hear(us.clone(), start + SECOND * second);
        (0..4).for_each(|second| hear(&mut members, second));
        assert_eq!(members.revision(start + SECOND * 3), None);
        hear(&mut members, 4);
        let known = members.revision(start + SECOND * 4);
        assert!(known.is_some());
        assert_eq!(members.revision(start + SECOND * 7), None, "nothing comes through to us");
        hear(&mut members, 7);
        assert_eq!(members.revision(start + SECOND * 7), None, "others may need a moment longer");
        (8..12).for_each(|second| hear(&mut members, second));
        assert_eq!(members.revision(start + SECOND * 11), known);
        members.hear(runner(""), start + SECOND * 11);
        assert_ne!(members.revision(start + SECOND * 11), known);
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
