//! `Activations`: the latest records of executions, kept in memory and passed on to those who follow.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;
use wire::Activation;
use wire::admin::LogEntry;
use wire::broker::{Heard, Listener};

use crate::Config;
use crate::query::Query;

/// Records that a follower may lag behind before it loses the oldest: a second of full speed.
const FOLLOW_LAG_MAX: usize = 8_192;

/// The latest records of executions, as raw lines: most are never looked at, so none is parsed before.
pub(crate) struct Activations {
    ring: Mutex<Ring>,
    live: broadcast::Sender<Live>,
    records_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct Ring {
    lines: VecDeque<Bytes>,
    bytes: usize,
    /// The number of records ever kept.
    count: u64,
}

#[derive(Clone, Debug)]
enum Live {
    Record { number: u64, line: Bytes },
    Missed(u64),
}

/// What a follower sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// An execution.
    Activation(Box<Activation>),
    /// This many records were lost to the follower.
    Missed(u64),
}

impl Activations {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            ring: Mutex::default(),
            live: broadcast::Sender::new(FOLLOW_LAG_MAX),
            records_max: config.activations_max,
            bytes_max: config.activations_bytes_max,
        }
    }

    /// Records what is broadcast, until shutdown.
    pub(crate) async fn run(self: Arc<Self>, mut recorded: Listener, shutdown: CancellationToken) {
        while let Some(heard) = shutdown.run_until_cancelled(recorded.next()).await {
            match heard {
                Heard::Payload(payload) => wire::split_lines(&payload).for_each(|line| self.record(line)),
                // Sending fails when nobody follows, and then nobody misses anything.
                Heard::Missed(missed) => _ = self.live.send(Live::Missed(missed)),
            }
        }
    }

    fn record(&self, line: Bytes) {
        let number = self.ring().push(line.clone(), self.records_max, self.bytes_max);
        if self.live.receiver_count() > 0 {
            let _nobody_follows_any_more = self.live.send(Live::Record { number, line });
        }
    }

    /// The newest records that the query wants, oldest first.
    pub(crate) fn find(&self, query: &Query) -> Vec<Activation> {
        let lines = self.ring().lines.clone();
        newest(&lines, query)
    }

    /// The newest log lines of the executions that the query wants, oldest first.
    pub(crate) fn logs(&self, query: &Query) -> Vec<LogEntry> {
        let lines = self.ring().lines.clone();
        let wanted = lines.iter().rev().filter_map(|line| query.read(line));
        let mut entries: Vec<LogEntry> =
            wanted.flat_map(|activation| query.entries(activation).rev()).take(query.limit).collect();
        entries.reverse();
        entries
    }

    /// The newest records that the query wants, then every further one.
    pub(crate) fn follow(&self, query: Query) -> Follow {
        self.follow_after(query, newest)
    }

    /// The same for who wants log lines: the records of the newest of them, then every further one.
    pub(crate) fn follow_logs(&self, query: Query) -> Follow {
        self.follow_after(query, newest_printing)
    }

    fn follow_after(&self, query: Query, newest: fn(&VecDeque<Bytes>, &Query) -> Vec<Activation>) -> Follow {
        let live = self.live.subscribe();
        let (lines, seen) = {
            let ring = self.ring();
            (ring.lines.clone(), ring.count)
        };
        let kept = newest(&lines, &query).into();
        Follow { query, kept, live, seen }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // A ring is whole after every statement: a panic elsewhere does not spoil it.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, line: Bytes, records_max: usize, bytes_max: usize) -> u64 {
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.lines.len() > records_max || self.bytes > bytes_max {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.len();
        }
        self.count += 1;
        self.count
    }
}

fn newest(lines: &VecDeque<Bytes>, query: &Query) -> Vec<Activation> {
    let wanted = lines.iter().rev().filter_map(|line| query.read(line));
    let mut found: Vec<Activation> = wanted.take(query.limit).collect();
    found.reverse();
    found
}

/// The records of the newest log lines that the query wants. They have only those lines.
fn newest_printing(lines: &VecDeque<Bytes>, query: &Query) -> Vec<Activation> {
    let (mut found, mut left) = (Vec::new(), query.limit);
    for mut activation in lines.iter().rev().filter_map(|line| query.read(line)) {
        if left == 0 {
            break;
        }
        activation.logs.retain(|line| query.wants_line(line));
        activation.logs.drain(..activation.logs.len().saturating_sub(left));
        left -= activation.logs.len();
        if !activation.logs.is_empty() {
            found.push(activation);
        }
    }
    found.reverse();
    found
}

/// Follows the records of executions.
pub struct Follow {
    query: Query,
    kept: VecDeque<Activation>,
    live: broadcast::Receiver<Live>,
    seen: u64,
}

impl Follow {
    /// The next record that is wanted; `None` once Tron is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Recorded> {
        if let Some(activation) = self.kept.pop_front() {
            return Some(Recorded::Activation(Box::new(activation)));
        }
        loop {
            match self.live.recv().await {
                Ok(Live::Record { number, line }) if number > self.seen => {
                    if let Some(activation) = self.query.read(&line) {
                        return Some(Recorded::Activation(Box::new(activation)));
                    }
                }
                Ok(Live::Record { .. }) => {}
                Ok(Live::Missed(missed)) | Err(RecvError::Lagged(missed)) => {
                    return Some(Recorded::Missed(missed));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use wire::{
        ActivationId, LogLine, MemberId, Namespace, RequestId, Role, RouteId, Stream, Timestamp, Version,
    };

    use super::*;
    use crate::Token;
    use crate::desired::tests::sha;

    fn activations(records_max: usize, bytes_max: usize) -> Activations {
        let token = Token::from_text("t").unwrap();
        let config = Config::new(MemberId::generate(Role::Tron), token);
        Activations::new(&Config { activations_max: records_max, activations_bytes_max: bytes_max, ..config })
    }

    /// One that went well and printed nothing.
    pub(crate) fn record() -> Activation {
        Activation {
            v: Version,
            id: ActivationId::generate(),
            request_id: RequestId::generate(),
            namespace: Namespace::default(),
            route: RouteId::of(&Namespace::default(), "*", "/"),
            bundle: sha(0),
            operation: None,
            attempt: 1,
            member: MemberId::generate(Role::Runner),
            method: "GET".into(),
            path: "/".into(),
            status: 200,
            at: Timestamp(1),
            queued_ms: 0,
            service_us: 1,
            cpu_us: 1,
            error: None,
            replay_of: None,
            difference: None,
            logs: Vec::new(),
        }
    }

    fn line(request_id: &str, text: &str) -> Bytes {
        let (request_id, text) = (RequestId::parse(request_id).unwrap(), text.to_owned());
        let line =
            LogLine { at: Timestamp(1), at_us: None, stream: Stream::Stdout, level: wire::Level::Info, text };
        wire::encode_line(&Activation { request_id, logs: vec![line], ..record() }).unwrap()
    }

    fn ids(found: &[Activation]) -> Vec<&str> {
        found.iter().map(|activation| activation.request_id.as_str()).collect()
    }

    #[test]
    fn the_oldest_go_first() {
        let kept = activations(2, usize::MAX);
        ["a", "b", "c"].iter().for_each(|id| kept.record(line(id, "")));
        assert_eq!(ids(&kept.find(&Query::newest(9))), ["b", "c"]);
        assert_eq!(ids(&kept.find(&Query::newest(1))), ["c"]);
        let kept = activations(9, line("a", "").len() * 2);
        ["a", "b", "c"].iter().for_each(|id| kept.record(line(id, "")));
        assert_eq!(ids(&kept.find(&Query::newest(9))), ["b", "c"]);
    }

    #[test]
    fn an_id_that_is_merely_mentioned_is_not_a_match() {
        let kept = activations(9, usize::MAX);
        kept.record(line("r1", "r2 was here"));
        kept.record(line("r2", "hello"));
        let query = Query { request_id: Some(RequestId::parse("r2").unwrap()), ..Query::newest(9) };
        assert_eq!(ids(&kept.find(&query)), ["r2"]);
        let texts: Vec<String> = kept.logs(&query).into_iter().map(|entry| entry.text).collect();
        assert_eq!(texts, ["hello"]);
    }

    #[tokio::test]
    async fn a_follower_sees_the_kept_and_the_new_once_each() {
        let kept = activations(9, usize::MAX);
        kept.record(line("a", ""));
        let mut follow = kept.follow(Query::newest(9));
        kept.record(line("b", ""));
        for expected in ["a", "b"] {
            let Some(Recorded::Activation(activation)) = follow.next().await else { panic!("no record") };
            assert_eq!(activation.request_id.as_str(), expected);
        }
    }

    #[tokio::test]
    async fn who_follows_lines_sees_the_newest_of_those_however_many_calls_came_since() {
        let kept = activations(99, usize::MAX);
        let error = |text: &str| {
            let level = wire::Level::Error;
            LogLine { at: Timestamp(1), at_us: None, stream: Stream::Stderr, level, text: text.to_owned() }
        };
        let failed = Activation { logs: ["first", "second", "third"].map(error).into(), ..record() };
        kept.record(wire::encode_line(&failed).unwrap());
        (0..50).for_each(|_| kept.record(line("quiet", "all is well")));
        let query = Query { level: Some(wire::Level::Error), ..Query::newest(2) };
        let mut follow = kept.follow_logs(query.clone());
        let Some(Recorded::Activation(found)) = follow.next().await else { panic!("no record") };
        let texts: Vec<String> = query.entries(*found).map(|entry| entry.text).collect();
        assert_eq!(texts, ["second", "third"], "the newest two lines");
        assert!(follow.kept.is_empty(), "no call without such a line");
    }

    #[tokio::test]
    async fn a_follower_that_falls_behind_is_told() {
        let kept = activations(9, usize::MAX);
        let mut follow = kept.follow(Query::newest(0));
        for _ in 0..FOLLOW_LAG_MAX + 1 {
            kept.record(line("a", ""));
        }
        assert_eq!(follow.next().await, Some(Recorded::Missed(1)));
    }
}
