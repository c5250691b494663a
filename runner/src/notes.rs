//! `Notes`: what there is to say about a call beside its answer.

use std::time::Duration;

use tracing::event;
use wire::capture::{Drawn, HostCall, HttpExchange, HttpOutcome};
use wire::{Activation, Invoke, Level, LogLine, Stream, Timestamp};

use crate::url::Url;

/// What there is to say about a call beside its answer.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) operation: Option<String>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) cpu: Duration,
    /// What it drew from outside, if that was noted.
    pub(crate) drawn: Option<Box<Drawn>>,
}

/// What the platform measured of a call.
pub(crate) struct Measured {
    pub(crate) queued: Duration,
    pub(crate) service: Duration,
    pub(crate) status: u16,
}

impl Notes {
    /// Adds a line of the platform's own.
    pub(crate) fn add(&mut self, level: Level, text: String) {
        self.logs.push(LogLine { at: Timestamp::now(), at_us: None, stream: Stream::Platform, level, text });
    }

    /// Adds what whoever looks for a mistake wants to know of every call.
    pub(crate) fn add_details(&mut self, invoke: &Invoke, path: &str, measured: &Measured) {
        let drawn = self.drawn.as_deref().map(|drawn| &drawn.calls[..]).unwrap_or_default();
        let told: Vec<String> = told(drawn).collect();
        let Measured { queued, service, status } = measured;
        let operation = self.operation.as_deref().unwrap_or("no operation");
        let matched = format!(
            "{} {path} is {operation}, attempt {}, begun {} after it was accepted",
            invoke.method,
            invoke.attempt,
            millis(*queued)
        );
        let (service, cpu) = (millis(*service), millis(self.cpu));
        let ended = format!("answered with {status} after {service}, {cpu} of a processor");
        self.add(Level::Debug, matched);
        told.into_iter().for_each(|text| self.add(Level::Debug, text));
        self.add(Level::Debug, ended);
    }
}

/// What a Func asked for, in words; clocks and random bytes as sums.
fn told(calls: &[HostCall]) -> impl Iterator<Item = String> {
    let (mut looks, mut bytes) = (0, 0);
    for call in calls {
        match call {
            HostCall::WallClock { .. } | HostCall::MonotonicClock { .. } => looks += 1,
            HostCall::Random { bytes: more, .. } => bytes += more,
            HostCall::Http(_) => {}
        }
    }
    let sums =
        (looks + bytes > 0).then(|| format!("looked at a clock {looks} times, drew {bytes} random bytes"));
    let sent = calls.iter().filter_map(|call| match call {
        HostCall::Http(exchange) => Some(sent(exchange)),
        _ => None,
    });
    sums.into_iter().chain(sent)
}

/// A request to somebody else in words.
fn sent(exchange: &HttpExchange) -> String {
    let HttpExchange { at_us, took_us, method, url, outcome, .. } = exchange;
    let (at, took) = (millis(Duration::from_micros(*at_us)), millis(Duration::from_micros(*took_us)));
    let url = Url::parse(url).shown();
    let came = match outcome {
        HttpOutcome::Response { status, .. } => format!("answered with {status}"),
        HttpOutcome::Failed(error) => format!("failed with {error}"),
    };
    format!("{method} {url} at {at} {came} after {took}")
}

/// A duration as people read it.
fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// Gives the lines of a record to the log as well.
pub(crate) fn log(record: &Activation) {
    for line in &record.logs {
        // The level of an event is a constant of its place in the code.
        macro_rules! log_at {
            ($level:ident) => {
                event!(target: "func", tracing::Level::$level, request_id = %record.request_id,
                    activation = %record.id, namespace = %record.namespace, route = %record.route,
                    bundle = record.bundle.short(), operation = record.operation, attempt = record.attempt,
                    stream = line.stream.as_str(), "{}", line.text)
            };
        }
        match line.level {
            Level::Trace => log_at!(TRACE),
            Level::Debug => log_at!(DEBUG),
            Level::Info => log_at!(INFO),
            Level::Warn => log_at!(WARN),
            Level::Error => log_at!(ERROR),
        }
    }
}
