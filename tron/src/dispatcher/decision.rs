//! `Decision`: where a call goes. Pure.

use std::sync::Arc;

use dispatch::{Call, Table};
use wire::{InvokeHead, ProblemKind, Timestamp};

/// Where a call goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision<'t> {
    /// To this Func queue.
    Forward(&'t Arc<str>),
    /// Back to the caller.
    Answer(ProblemKind, String),
    /// Nowhere: its deadline has passed. The caller is told where its time ran out.
    Expired,
}

/// Decides where a call goes.
pub(crate) fn route<'t>(table: &'t Table, head: &InvokeHead<'_>, now: Timestamp) -> Decision<'t> {
    if head.deadline <= now {
        return Decision::Expired;
    }
    match table.queue(&Call::from(head)) {
        Ok(queue) => match table.unserved().get(&**queue) {
            // What was promised waits there for somebody who can run it.
            Some(why) if !head.asynchronous => Decision::Answer(ProblemKind::NoRunner, why.clone()),
            _ => Decision::Forward(queue),
        },
        Err(miss) => Decision::Answer(ProblemKind::NotFound, miss.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use wire::{ActivationId, BundleSha, Namespace, RequestId, Version};

    use super::*;
    use crate::desired::tests::{route as a_route, sha};

    fn head(path: &str, bundle: Option<BundleSha>) -> InvokeHead<'_> {
        InvokeHead {
            v: Version,
            id: RequestId::generate(),
            activation: ActivationId::generate(),
            namespace: Namespace::default(),
            deadline: Timestamp(10),
            attempt: 1,
            reply_to: None,
            asynchronous: false,
            bundle,
            host: "h".into(),
            path: path.into(),
        }
    }

    #[test]
    fn a_call_goes_to_the_longest_base_path_in_time() {
        let (outer, inner) = (a_route("*", "/a", 0), a_route("*", "/a/b", 1));
        let table = Table::build(&[outer.clone(), inner.clone()]).unwrap();
        let queue: Arc<str> = inner.queue(&sha(1)).into();
        assert_eq!(route(&table, &head("/a/b/c", None), Timestamp(9)), Decision::Forward(&queue));
        let queue: Arc<str> = outer.queue(&sha(0)).into();
        assert_eq!(route(&table, &head("/a/bc", None), Timestamp(9)), Decision::Forward(&queue));
        assert_eq!(route(&table, &head("/a/b", None), Timestamp(10)), Decision::Expired);
    }

    #[test]
    fn what_nobody_can_run_is_answered_unless_it_was_promised() {
        let a = a_route("*", "/a", 0);
        let (queue, why) = (a.queue(&sha(0)), "no runner has gpu=true".to_owned());
        let table = Table::build(&[a, a_route("*", "/b", 1)]).unwrap();
        let table = table.with_unserved([(queue.clone(), why.clone())].into());
        let call = head("/a", None);
        let promised = InvokeHead { asynchronous: true, ..head("/a", None) };
        let queue: Arc<str> = queue.into();
        assert_eq!(route(&table, &call, Timestamp(0)), Decision::Answer(ProblemKind::NoRunner, why));
        assert_eq!(route(&table, &promised, Timestamp(0)), Decision::Forward(&queue));
        assert!(matches!(route(&table, &head("/b", None), Timestamp(0)), Decision::Forward(_)));
    }

    #[test]
    fn what_no_route_has_is_not_found() {
        let table = Table::build(&[a_route("*", "/a", 0)]).unwrap();
        for head in [head("/b", None), head("/a", Some(sha(7)))] {
            let decision = route(&table, &head, Timestamp(0));
            assert!(matches!(decision, Decision::Answer(ProblemKind::NotFound, _)), "{decision:?}");
        }
        assert!(matches!(route(&table, &head("/a", Some(sha(0))), Timestamp(0)), Decision::Forward(_)));
    }
}
