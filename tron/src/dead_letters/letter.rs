//! A dead letter as an operator sees it, and as it is tried again. Pure.

use std::time::Duration;

use bytes::Bytes;
use wire::admin::{DeadCall, DeadLetter};
use wire::broker::{GivenUp, Message};
use wire::{BundleSha, Invoke, InvokeHead, Timestamp, decode_line, split_lines};

use dispatch::{Call, Table};

/// How long a call that is tried again may wait for its turn, whatever it was given at first: nobody
/// waits for it, and many are tried again at once.
const TIME_MIN: Duration = Duration::from_secs(60 * 60);

/// What there is to say about a dead letter.
pub(super) fn describe(message: &Message) -> DeadLetter {
    let mut why = GivenUp::read(message.dead_reason.as_deref().unwrap_or("nobody said why"));
    let call = invoke(message);
    why.attempts = why.attempts.or(call.as_ref().map(|call| call.attempt));
    DeadLetter {
        id: id(message),
        why,
        size: u64::try_from(message.payload.len()).unwrap_or(u64::MAX),
        call: call.map(|call| DeadCall {
            request_id: call.id,
            method: call.method,
            host: call.host,
            path: call.path,
            asynchronous: call.asynchronous,
        }),
    }
}

/// Whether it is the one that is asked for.
pub(super) fn is_meant(message: &Message, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| id(message) == wanted)
}

/// The call as it is begun anew: at the first attempt, promised from now on, and answered only
/// if its caller was promised it before. None if it cannot be read or no route takes it.
pub(super) fn again(
    message: &Message,
    to: Option<&BundleSha>,
    table: &Table,
    now: Timestamp,
) -> Option<Invoke> {
    let invoke = invoke(message)?;
    let again = Invoke {
        at: now,
        deadline: now.after(invoke.deadline.since(invoke.at).max(TIME_MIN)),
        attempt: 1,
        retry: 0,
        reply_to: invoke.reply_to.filter(|_| invoke.asynchronous),
        asynchronous: true,
        queue: None,
        bundle: to.cloned(),
        ..invoke
    };
    table.queue(&Call::from(&again)).ok()?;
    Some(again)
}

/// Names a message: by its call, or by its bytes.
fn id(message: &Message) -> String {
    let line = line(message);
    let head = line.as_deref().and_then(|line| decode_line::<InvokeHead<'_>>(line).ok());
    match head {
        Some(head) => head.activation.to_string(),
        None => BundleSha::of(&message.payload).as_str().chars().take(16).collect(),
    }
}

fn invoke(message: &Message) -> Option<Invoke> {
    decode_line(&line(message)?).ok()
}

/// The one line of a message. Calls are given up one by one.
fn line(message: &Message) -> Option<Bytes> {
    let mut lines = split_lines(&message.payload);
    lines.next().filter(|_| lines.next().is_none())
}
