//! `Operations`: what became of the calls of a Func, by operation, for whoever looks at its metrics.

use telemetry::{ByStatus, Context, CountBy, Timing};
use wire::{Activation, ProblemKind};

/// Operations of one Func that are told apart. Documents are mostly smaller; those of one that is larger count as
/// one from here on.
const OPERATIONS_MAX: usize = 200;

/// What all further ones are called together.
const OTHER: &str = "other";

/// What became of the calls of a Func, by operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations(Vec<Operation>);

/// What became of the calls of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Its id; empty for calls that none was found for.
    pub(crate) id: Box<str>,
    pub(crate) statuses: ByStatus<u64>,
    /// Calls that the platform answered in the Func's place, by what was wrong.
    pub(crate) errors: CountBy<ProblemKind>,
    /// From a call's acceptance by the frontend until it was begun.
    pub(crate) queue: Timing,
    /// From then to its answer.
    pub(crate) service: Timing,
    /// Microseconds of processors.
    pub(crate) cpu_us: u64,
}

impl Operations {
    /// Counts a call that has ended.
    pub(crate) fn count(&mut self, record: &Activation, error: Option<ProblemKind>, traced: Option<Context>) {
        let operation = self.of(record.operation.as_deref().unwrap_or_default());
        *operation.statuses.of(record.status) += 1;
        operation.queue.add(record.queued_ms.saturating_mul(1000), traced);
        operation.service.add(record.service_us, traced);
        operation.cpu_us += record.cpu_us;
        if let Some(kind) = error {
            operation.errors.add(kind);
        }
    }

    /// All of them, in the order in which they were called first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Operation> {
        self.0.iter()
    }

    /// A look along some dozen names costs less than a hash.
    fn of(&mut self, id: &str) -> &mut Operation {
        let known = self.0.iter().position(|operation| *operation.id == *id);
        let index = known.unwrap_or_else(|| {
            if self.0.len() < OPERATIONS_MAX {
                let id = if self.0.len() + 1 < OPERATIONS_MAX { id } else { OTHER };
                self.0.push(Operation::new(id));
            }
            self.0.len() - 1
        });
        &mut self.0[index]
    }
}

impl Operation {
    fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            statuses: ByStatus::default(),
            errors: CountBy::default(),
            queue: Timing::default(),
            service: Timing::default(),
            cpu_us: 0,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use wire::{ActivationId, BundleSha, MemberId, Namespace, RequestId, Role, RouteId, Timestamp, Version};

    use super::*;

    pub(crate) fn record(operation: Option<&str>, status: u16) -> Activation {
        let namespace = Namespace::default();
        Activation {
            v: Version,
            id: ActivationId::generate(),
            request_id: RequestId::generate(),
            route: RouteId::of(&namespace, "*", "/"),
            namespace,
            bundle: BundleSha::of(b""),
            operation: operation.map(str::to_owned),
            attempt: 1,
            member: MemberId::generate(Role::Runner),
            method: "GET".into(),
            path: "/".into(),
            status,
            at: Timestamp(0),
            queued_ms: 2,
            service_us: 700,
            cpu_us: 100,
            error: None,
            replay_of: None,
            difference: None,
            logs: Vec::new(),
        }
    }

    #[test]
    fn calls_are_told_apart_by_operation_status_and_error() {
        let mut operations = Operations::default();
        for (id, status, error) in [
            (Some("a"), 200, None),
            (Some("a"), 502, Some(ProblemKind::FuncFailed)),
            (None, 404, Some(ProblemKind::NotFound)),
            (Some("a"), 502, Some(ProblemKind::FuncFailed)),
            (Some("a"), 999, None),
        ] {
            operations.count(&record(id, status), error, None);
        }
        let seen: Vec<_> = operations
            .iter()
            .map(|one| {
                let statuses = one.statuses.iter().filter(|(_, count)| **count > 0);
                let statuses: Vec<_> = statuses.map(|(class, count)| (class, *count)).collect();
                let errors: Vec<_> = one.errors.iter().map(|(kind, count)| (*kind, count)).collect();
                (&*one.id, statuses, errors)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("a", vec![("2xx", 1), ("5xx", 3)], vec![(ProblemKind::FuncFailed, 2)]),
                ("", vec![("4xx", 1)], vec![(ProblemKind::NotFound, 1)]),
            ]
        );
        let a = operations.iter().next().unwrap();
        assert_eq!((a.cpu_us, a.service.is_empty(), a.queue.is_empty()), (400, false, false));
    }

    #[test]
    fn a_document_without_an_end_fills_no_memory() {
        let mut operations = Operations::default();
        for number in 0..1_000 {
            operations.count(&record(Some(&number.to_string()), 200), None, None);
        }
        assert_eq!(operations.iter().count(), OPERATIONS_MAX);
        let last = operations.iter().last().unwrap();
        let of_rest = 1_000 - OPERATIONS_MAX as u64 + 1;
        assert_eq!((&*last.id, last.statuses.iter().nth(1)), (OTHER, Some(("2xx", &of_rest))));
    }
}
