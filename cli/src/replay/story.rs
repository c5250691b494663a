//! A story: all that happened during one call, in its order.

use std::fmt::Write;

use compare::shown;
use wire::capture::{CaptureEntry, Drawn, HostCall, HttpExchange, HttpOutcome};
use wire::{Activation, Body, Timestamp};

use super::outcome::Judged;
use super::target::Played;
use crate::clock;

/// What was drawn more often than this in a row is summed up.
const SAME_MAX: usize = 3;

/// The story of a call that ran in this process.
pub(crate) fn of(entry: &CaptureEntry, played: &Played, judged: &Judged) -> Option<String> {
    let (activation, drawn) = played.ran.as_ref()?;
    let mut story = String::new();
    // Writing to a String cannot fail.
    let _written = tell(&mut story, entry, activation, drawn, played, judged);
    Some(story)
}

fn tell(
    story: &mut String,
    entry: &CaptureEntry,
    activation: &Activation,
    drawn: &Drawn,
    played: &Played,
    judged: &Judged,
) -> std::fmt::Result {
    let invoke = &entry.invoke;
    let mark = if invoke.query.is_empty() { "" } else { "?" };
    writeln!(
        story,
        "REQUEST   {} {}{mark}{}",
        shown(&invoke.method),
        shown(&invoke.path),
        shown(&invoke.query)
    )?;
    writeln!(
        story,
        "          {}://{}  client {}  id {}  at {}",
        invoke.scheme,
        shown(&invoke.host),
        invoke.client.as_deref().map_or_else(|| "unknown".to_owned(), shown),
        invoke.id,
        clock::utc(invoke.at),
    )?;
    content(story, &invoke.headers, &invoke.body)?;
    let operation = judged.operation.as_deref().map_or_else(|| "none matched".to_owned(), shown);
    writeln!(story, "OPERATION {operation}  of bundle {}", activation.bundle.short())?;
    writeln!(story, "DURING    0.000 ms  the call begins")?;
    for (at_us, line) in events(activation, drawn) {
        writeln!(story, "          {}  {line}", millis(at_us))?;
    }
    if drawn.truncated {
        writeln!(story, "          (it drew more than is kept)")?;
    }
    if let Some(error) = &activation.error {
        writeln!(story, "FAILED    {}", shown(error))?;
    }
    writeln!(story, "ANSWER    {} after {}", played.answer.status, millis(activation.service_us))?;
    content(story, &played.answer.headers, &played.answer.body)?;
    let waited: u64 = exchanges(drawn).map(|exchange| exchange.took_us).sum();
    writeln!(
        story,
        "TIME      {} in all: {} of a processor, {} for answers of others",
        millis(activation.service_us),
        millis(activation.cpu_us),
        millis(waited),
    )?;
    match judged.differences.as_slice() {
        [] => write!(story, "COMPARED  the same as before, status {}", entry.answer.status),
        differences => {
            write!(story, "COMPARED  differs from before")?;
            differences.iter().try_for_each(|difference| write!(story, "\n          {difference}"))
        }
    }
}

/// Everything that has a moment, in order.
fn events(activation: &Activation, drawn: &Drawn) -> Vec<(u64, String)> {
    let mut events: Vec<(u64, String)> = Vec::new();
    let mut same = 0;
    for (number, call) in drawn.calls.iter().enumerate() {
        let is_again = number > 0 && is_alike(call, &drawn.calls[number - 1]);
        same = if is_again { same + 1 } else { 0 };
        match same.cmp(&SAME_MAX) {
            std::cmp::Ordering::Less => events.push(event(call)),
            std::cmp::Ordering::Equal => events.push((event(call).0, "… and the same again".to_owned())),
            std::cmp::Ordering::Greater => {}
        }
    }
    for line in &activation.logs {
        let stream = line.stream.as_str();
        let since = || u64::try_from(line.at.since(activation.at).as_micros()).unwrap_or(u64::MAX);
        let at_us = line.at_us.unwrap_or_else(since);
        events.push((at_us, format!("{stream} {}: {}", line.level, shown(&line.text))));
    }
    events.sort_by_key(|(at_us, _)| *at_us);
    events
}

/// Whether both are the same kind of question, to which nobody wants to read every answer.
fn is_alike(call: &HostCall, other: &HostCall) -> bool {
    !matches!(call, HostCall::Http(_)) && std::mem::discriminant(call) == std::mem::discriminant(other)
}

fn event(call: &HostCall) -> (u64, String) {
    match call {
        HostCall::WallClock { at_us, ns } => {
            (*at_us, format!("asks what time it is: {}", clock::utc(Timestamp(ns / 1_000_000))))
        }
        HostCall::MonotonicClock { at_us, ns } => (*at_us, format!("asks how long it has been: {ns} ns")),
        HostCall::Random { at_us, bytes } => (*at_us, format!("draws {bytes} random bytes")),
        HostCall::Http(exchange) => (exchange.at_us, asked(exchange)),
    }
}

/// A request to somebody else and what came of it, on lines of their own.
fn asked(exchange: &HttpExchange) -> String {
    let HttpExchange { took_us, method, url, headers, body, outcome, .. } = exchange;
    let mut text = format!("asks {} {}", shown(method), shown(url));
    let indented = |text: &mut String, sign: char, headers: &[(String, String)], body: &Body| {
        for line in lines(headers, body) {
            let _written = write!(text, "\n                      {sign} {line}");
        }
    };
    indented(&mut text, '>', headers, body);
    let _written = match outcome {
        HttpOutcome::Response { status, .. } => {
            write!(text, "\n                      is answered {status} after {}", millis(*took_us))
        }
        HttpOutcome::Failed(why) => {
            write!(text, "\n                      fails after {}: {}", millis(*took_us), shown(why))
        }
    };
    if let HttpOutcome::Response { headers, body, .. } = outcome {
        indented(&mut text, '<', headers, body);
    }
    text
}

fn content(story: &mut String, headers: &[(String, String)], body: &Body) -> std::fmt::Result {
    lines(headers, body).iter().try_for_each(|line| writeln!(story, "          {line}"))
}

fn lines(headers: &[(String, String)], body: &Body) -> Vec<String> {
    let header = |(name, value): &(String, String)| format!("{}: {}", shown(name), shown(value));
    let mut lines: Vec<String> = headers.iter().map(header).collect();
    match body {
        Body::Inline(bytes) if bytes.is_empty() => {}
        Body::Inline(bytes) => {
            let text = shown(&String::from_utf8_lossy(bytes.get(..1_024).unwrap_or(bytes)));
            lines.push(format!("({} bytes) {text}", bytes.len()));
        }
        Body::Stored(stored) => lines.push(format!("({} bytes elsewhere)", stored.len)),
    }
    lines
}

fn exchanges(drawn: &Drawn) -> impl Iterator<Item = &HttpExchange> {
    drawn.calls.iter().filter_map(|call| match call {
        HostCall::Http(exchange) => Some(&**exchange),
        _ => None,
    })
}

fn millis(us: u64) -> String {
    format!("{}.{:03} ms", us / 1_000, us % 1_000)
}
