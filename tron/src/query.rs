//! `Query`: which activations somebody wants to see. Pure.

use std::time::Duration;

use wire::admin::LogEntry;
use wire::{Activation, BundleSha, Level, LogLine, RequestId, RouteId, Timestamp};

/// Which activations, or log lines, somebody wants to see.
#[derive(Clone, Debug)]
pub struct Query {
    /// Those of this request.
    pub request_id: Option<RequestId>,
    /// Those of this route.
    pub route: Option<RouteId>,
    /// Those of this bundle.
    pub bundle: Option<BundleSha>,
    /// Those from this moment on.
    pub since: Option<Timestamp>,
    /// Of log lines, those that matter at least as much.
    pub level: Option<Level>,
    /// At most this many of those that are kept: the newest.
    pub limit: usize,
}

impl Query {
    /// What a person can look through.
    pub const LIMIT_DEFAULT: usize = 100;

    /// Any, the newest `limit`.
    pub fn newest(limit: usize) -> Self {
        Self { request_id: None, route: None, bundle: None, since: None, level: None, limit }
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
            && self.since.is_none_or(|since| ended(activation) >= since)
    }

    /// Whether this line of an activation is wanted.
    pub(crate) fn wants_line(&self, line: &LogLine) -> bool {
        self.since.is_none_or(|since| line.at >= since) && self.level.is_none_or(|level| line.level >= level)
    }

    /// What was printed during this activation, as far as it is wanted.
    pub(crate) fn entries(&self, activation: Activation) -> impl DoubleEndedIterator<Item = LogEntry> {
        let Activation { id, request_id, route, bundle, operation, replay_of, logs, .. } = activation;
        let wanted = logs.into_iter().filter(move |line| self.wants_line(line));
        wanted.map(move |line| LogEntry {
            at: line.at,
            request_id: request_id.clone(),
            activation: id,
            route: route.clone(),
            bundle: bundle.clone(),
            operation: operation.clone(),
            replay_of,
            stream: line.stream,
            level: line.level,
            text: line.text,
        })
    }
}

/// Until when it ran: what began before a moment may have printed after it.
fn ended(activation: &Activation) -> Timestamp {
    activation.at.after(Duration::from_micros(activation.service_us))
}

#[cfg(test)]
mod tests {
    use wire::Stream;

    use super::*;
    use crate::activations::tests::record;

    /// One that began at 10, took 20 ms and printed four lines.
    fn activation() -> Activation {
        let line = |at: u64, level: Level| LogLine {
            at: Timestamp(at),
            at_us: None,
            stream: Stream::Stdout,
            level,
            text: format!("{level} at {at}"),
        };
        let logs =
            [line(11, Level::Debug), line(12, Level::Error), line(29, Level::Info), line(30, Level::Warn)];
        Activation { at: Timestamp(10), service_us: 20_000, logs: logs.into(), ..record() }
    }

    fn texts(query: &Query) -> Vec<String> {
        query.entries(activation()).map(|entry| entry.text).collect()
    }

    #[test]
    fn lines_are_those_from_a_moment_and_a_level_on() {
        let all = Query::newest(9);
        assert_eq!(texts(&all).len(), 4);
        let level = Query { level: Some(Level::Warn), ..all.clone() };
        assert_eq!(texts(&level), ["error at 12", "warn at 30"]);
        let since = Query { since: Some(Timestamp(29)), ..all };
        assert_eq!(texts(&since), ["info at 29", "warn at 30"]);
    }

    #[test]
    fn what_ended_before_a_moment_is_not_wanted_since_then() {
        let line = wire::encode_line(&activation()).unwrap();
        let since = |at: u64| Query { since: Some(Timestamp(at)), ..Query::newest(9) };
        assert!(since(30).read(&line).is_some() && since(31).read(&line).is_none());
    }
}
