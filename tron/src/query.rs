//! `Query`: which activations somebody wants to see. Pure.

use wire::admin::LogEntry;
use wire::{Activation, BundleSha, RequestId, RouteId};

/// Which activations, or log lines, somebody wants to see.
#[derive(Clone, Debug)]
pub struct Query {
    /// Those of this request.
    pub request_id: Option<RequestId>,
    /// Those of this route.
    pub route: Option<RouteId>,
    /// Those of this bundle.
    pub bundle: Option<BundleSha>,
    /// At most this many of those that are kept: the newest.
    pub limit: usize,
}

impl Query {
    /// What a person can look through.
    pub const LIMIT_DEFAULT: usize = 100;

    /// Any, the newest `limit`.
    pub fn newest(limit: usize) -> Self {
        Self { request_id: None, route: None, bundle: None, limit }
    }

    /// The activation in this line, if it is wanted. Looks for the ids before it takes the trouble to parse.
    pub(crate) fn read(&self, line: &[u8]) -> Option<Activation> {
        let text = std::str::from_utf8(line).ok()?;
        let ids = [
            self.request_id.as_ref().map(RequestId::as_str),
            self.route.as_ref().map(RouteId::as_str),
            self.bundle.as_ref().map(BundleSha::as_str),
        ];
        if ids.into_iter().flatten().any(|id| !text.contains(id)) {
            return None;
        }
        let activation: Activation = wire::decode_line(line).ok()?;
        self.wants(&activation).then_some(activation)
    }

    fn wants(&self, activation: &Activation) -> bool {
        self.request_id.as_ref().is_none_or(|id| *id == activation.request_id)
            && self.route.as_ref().is_none_or(|id| *id == activation.route)
            && self.bundle.as_ref().is_none_or(|sha| *sha == activation.bundle)
    }
}

/// What was printed during this activation.
pub(crate) fn log_entries(activation: Activation) -> impl DoubleEndedIterator<Item = LogEntry> {
    let Activation { id, request_id, route, bundle, operation, logs, .. } = activation;
    logs.into_iter().map(move |line| LogEntry {
        at: line.at,
        request_id: request_id.clone(),
        activation: id,
        route: route.clone(),
        bundle: bundle.clone(),
        operation: operation.clone(),
        stream: line.stream,
        level: line.level,
        text: line.text,
    })
}
