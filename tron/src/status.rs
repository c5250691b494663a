//! `Status`: how far the platform is with the desired state, as the reconciler last saw it. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use wire::admin::MemberInfo;
use wire::{BundleSha, FuncAssignment, Labels, Role};

use crate::balance::Holders;

/// How far the platform is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    /// The number of the deployment that calls are dispatched by.
    pub(crate) deployment: u64,
    /// Bundles that runners need although no route names them.
    pub(crate) draining: Vec<BundleSha>,
    /// The queues whose Funcs nobody can run, and why.
    pub(crate) unserved: BTreeMap<String, String>,
    /// Who holds the Funcs that not everybody can hold who may.
    pub(crate) holders: Arc<Holders>,
    /// Everybody who has been heard of lately.
    pub(crate) members: Vec<MemberInfo>,
}

/// Whether a queue's Func is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// No runner has the assignment yet.
    Pending,
    /// A runner has loaded it.
    Ready,
    /// Every runner that has the assignment failed to load it; this is what one said.
    Failed(String),
    /// Nobody can run it, for this reason.
    Unserved(String),
}

impl Status {
    /// Whether calls are dispatched by deployment `number`, whoever they come to first.
    pub(crate) fn is_applied(&self, number: u64) -> bool {
        let mut others = self.members.iter().filter(|member| member.role != Role::Runner && !member.leaving);
        self.deployment >= number && others.all(|member| member.version >= number)
    }

    /// Whether this Func is ready by deployment `number`.
    pub(crate) fn readiness(&self, number: u64, func: &FuncAssignment) -> Readiness {
        if self.deployment < number {
            return Readiness::Pending;
        }
        if let Some(why) = self.unserved.get(&func.queue) {
            return Readiness::Unserved(why.clone());
        }
        let FuncAssignment { queue, placement, .. } = func;
        let runners = candidates(queue, placement, &self.holders, &self.members);
        let mut failure = None;
        for runner in runners.filter(|runner| runner.version >= number) {
            match runner.failed.get(&func.queue) {
                None => return Readiness::Ready,
                Some(reason) => failure = Some(reason.clone()),
            }
        }
        failure.map_or(Readiness::Pending, Readiness::Failed)
    }
}

/// The runners among these members that are to run the Func of this queue, which asks that of them.
pub(crate) fn candidates<'m>(
    queue: &str,
    placement: &Labels,
    holders: &Holders,
    members: impl IntoIterator<Item = &'m MemberInfo>,
) -> impl Iterator<Item = &'m MemberInfo> {
    let holders = holders.get(queue);
    let runners = members.into_iter().filter(|member| member.role == Role::Runner && !member.leaving);
    runners.filter(move |runner| {
        runner.labels.include(placement) && holders.is_none_or(|on| on.contains(&runner.id))
    })
}

#[cfg(test)]
mod tests {
    use wire::{MemberId, Timestamp};

    use super::*;
    use crate::desired::tests::route;
    use crate::plan;

    fn member(role: Role, version: u64) -> MemberInfo {
        MemberInfo { id: MemberId::generate(role), role, ..runner(version, &[]) }
    }

    fn runner(version: u64, failed: &[(&str, &str)]) -> MemberInfo {
        let failed = failed.iter().map(|(queue, reason)| ((*queue).into(), (*reason).into())).collect();
        MemberInfo {
            id: MemberId::generate(Role::Runner),
            role: Role::Runner,
            version,
            seen_at: Timestamp(0),
            failed,
            leaving: false,
            labels: Labels::default(),
        }
    }

    /// The Func behind the queue `q` or another, which asks for nothing.
    fn func(queue: &str) -> FuncAssignment {
        let mut funcs = plan::funcs(&[route("*", "/a", 0)]);
        FuncAssignment { queue: queue.to_owned(), ..funcs.remove(0) }
    }

    fn status(members: Vec<MemberInfo>) -> Status {
        Status { deployment: 2, members, ..Status::default() }
    }

    #[test]
    fn one_runner_that_has_it_is_enough() {
        let status = status(vec![runner(2, &[("q", "no memory")]), runner(3, &[])]);
        assert_eq!(status.readiness(2, &func("q")), Readiness::Ready);
        assert_eq!(status.readiness(3, &func("q")), Readiness::Pending);
    }

    #[test]
    fn nobody_and_those_behind_say_nothing() {
        assert_eq!(status(vec![]).readiness(2, &func("q")), Readiness::Pending);
        assert_eq!(status(vec![runner(1, &[("q", "old")])]).readiness(2, &func("q")), Readiness::Pending);
    }

    #[test]
    fn a_failure_is_told_when_all_fail() {
        let status = status(vec![runner(1, &[]), runner(2, &[("q", "no memory")])]);
        assert_eq!(status.readiness(2, &func("q")), Readiness::Failed("no memory".into()));
        assert_eq!(status.readiness(2, &func("other")), Readiness::Ready);
    }

    #[test]
    fn only_runners_that_match_and_stay_say_that_it_is_ready() {
        let asking = FuncAssignment { placement: "gpu=true".parse().unwrap(), ..func("q") };
        let gpu = |leaving| MemberInfo { labels: asking.placement.clone(), leaving, ..runner(2, &[]) };
        assert_eq!(status(vec![runner(2, &[]), gpu(true)]).readiness(2, &asking), Readiness::Pending);
        assert_eq!(status(vec![gpu(false)]).readiness(2, &asking), Readiness::Ready);
        let unserved = [("q".to_owned(), "no gpu".to_owned())].into();
        let status = Status { unserved, ..status(vec![runner(2, &[])]) };
        assert_eq!(status.readiness(2, &asking), Readiness::Unserved("no gpu".into()));
    }

    #[test]
    fn a_deployment_is_applied_when_all_who_dispatch_have_it() {
        let of = |tron, frontend| {
            status(vec![member(Role::Tron, tron), member(Role::Frontend, frontend), runner(0, &[])])
        };
        assert!(of(2, 3).is_applied(2));
        assert!(!of(1, 2).is_applied(2) && !of(2, 1).is_applied(2));
        assert!(!of(3, 3).is_applied(3), "we dispatch ourselves");
    }
}
