//! `Sorted`: what becomes of the lines of one message. Pure.

use std::sync::Arc;

use bytes::Bytes;
use dispatch::Table;
use wire::broker::Message;
use wire::{ActivationId, Chain, InvokeHead, ProblemKind, RequestId, Timestamp};

use super::decision::{self, Decision};
use super::doubt;

/// What becomes of the lines of one message.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// Messages for the queues of Funcs, in the order in which their first lines came.
    pub(crate) forwards: Vec<Forward>,
    /// Problems for callers.
    pub(crate) replies: Vec<Reply>,
    /// Lines that nobody can read, and calls that are too late and were promised.
    pub(crate) dead: Vec<Dead>,
}

/// A message for the queue of a Func, with so many calls.
#[derive(Debug)]
pub(crate) struct Forward {
    pub(crate) queue: Arc<str>,
    pub(crate) message: Message,
    pub(crate) calls: usize,
}

/// A problem for the caller of a call.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) queue: String,
    pub(crate) activation: ActivationId,
    pub(crate) attempt: u32,
    pub(crate) deadline: Timestamp,
    pub(crate) asynchronous: bool,
    pub(crate) id: RequestId,
    pub(crate) kind: ProblemKind,
    pub(crate) detail: String,
}

/// A line that is given up.
#[derive(Debug)]
pub(crate) struct Dead {
    pub(crate) line: Bytes,
    pub(crate) reason: String,
    /// Whether it is a call that its caller was promised.
    pub(crate) promised: bool,
}

/// Lines for one queue.
struct Group {
    queue: Arc<str>,
    lines: Vec<Bytes>,
    deadline: Timestamp,
    /// Whether it is one call that was promised: it travels alone, outlives the broker's process, and does
    /// not end in silence when its time is up.
    promised: bool,
}

impl Sorted {
    /// Sorts the lines of this payload. Those of one that somebody had before are passed on with a doubt.
    pub(crate) fn of(table: &Table, payload: &Bytes, redelivered: bool, now: Timestamp) -> Self {
        let mut sorted = Self::default();
        let mut groups: Vec<Group> = Vec::new();
        let lines = match wire::bounded_lines(payload) {
            Ok(lines) => lines,
            Err(wire::MessageError::Empty) => return sorted,
            Err(error) => {
                let (line, reason) = (payload.clone(), Chain(&error).to_string());
                sorted.dead.push(Dead { line, reason, promised: false });
                return sorted;
            }
        };
        if redelivered {
            let doubted: Vec<Bytes> = lines.iter().map(doubt::cast).collect();
            return Self::of(table, &join(&doubted), false, now);
        }
        for line in &lines {
            sorted.add(&mut groups, table, line, now);
        }
        let forwards = groups.into_iter().map(|group| group.into_forward(payload, lines.len()));
        sorted.forwards = forwards.collect();
        sorted
    }

    fn add(&mut self, groups: &mut Vec<Group>, table: &Table, line: &Bytes, now: Timestamp) {
        let head: InvokeHead<'_> = match wire::decode_line(line) {
            Ok(head) => head,
            Err(error) => {
                let reason = Chain(&error).to_string();
                return self.dead.push(Dead { line: line.clone(), reason, promised: false });
            }
        };
        let (kind, detail) = match decision::route(table, &head, now) {
            Decision::Forward(queue) => {
                return Group::push(groups, queue, line.clone(), &head);
            }
            Decision::Answer(kind, detail) => (kind, detail),
            Decision::Expired => {
                let detail = "the time ran out in the firehose, before dispatch".to_owned();
                if head.asynchronous {
                    let (line, reason) = (line.clone(), detail.clone());
                    self.dead.push(Dead { line, reason, promised: true });
                }
                (ProblemKind::DeadlineExceeded, detail)
            }
        };
        self.replies.extend(Reply::to(&head, kind, detail));
    }
}

impl Group {
    fn push(groups: &mut Vec<Self>, queue: &Arc<str>, line: Bytes, head: &InvokeHead<'_>) {
        let (deadline, promised) = (head.deadline, head.asynchronous);
        let joinable = groups.iter_mut().find(|group| !promised && !group.promised && group.queue == *queue);
        match joinable {
            Some(group) => {
                group.lines.push(line);
                group.deadline = group.deadline.max(deadline);
            }
            None => groups.push(Self { queue: Arc::clone(queue), lines: vec![line], deadline, promised }),
        }
    }

    /// The message for the queue: the payload itself when all of it goes there.
    fn into_forward(self, payload: &Bytes, payload_lines: usize) -> Forward {
        // Only whole lines may be joined to others, and not everybody who writes one ends it.
        let whole = self.lines.len() == payload_lines && payload.ends_with(b"\n");
        let message = Message::new(if whole { payload.clone() } else { join(&self.lines) });
        let message =
            if self.promised { message.persistent() } else { message.expires_at(self.deadline).joinable() };
        Forward { queue: self.queue, message, calls: self.lines.len() }
    }
}

fn join(lines: &[Bytes]) -> Bytes {
    let mut joined = Vec::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        joined.extend_from_slice(line);
        joined.push(b'\n');
    }
    joined.into()
}

impl Reply {
    /// A problem for the caller of this call, if it waits for an answer.
    pub(crate) fn to(head: &InvokeHead<'_>, kind: ProblemKind, detail: String) -> Option<Self> {
        Some(Self {
            queue: head.reply_to.clone()?,
            activation: head.activation,
            attempt: head.attempt,
            deadline: head.deadline,
            asynchronous: head.asynchronous,
            id: head.id.clone(),
            kind,
            detail,
        })
    }
}
