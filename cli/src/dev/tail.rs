//! What Funcs print, for the person at the terminal, as it happens.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use tokio_util::sync::CancellationToken;
use wire::broker::{Heard, Subscription, Topic};
use wire::{Activation, Level, LogLine, Stream};

use super::platform::Platform;
use crate::logging::LogFormat;
use crate::output::{self, printable};

/// Shows it until the platform stops.
pub(super) async fn start(platform: &mut Platform, format: LogFormat) -> Result<()> {
    let heard = platform.broker().subscribe(Topic::Activations).await.context("listen to activations")?;
    let stop = platform.stop();
    platform.spawn("the log", follow(heard, format, stop));
    Ok(())
}

async fn follow(mut heard: Subscription, format: LogFormat, stop: CancellationToken) -> Result<()> {
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            next = heard.next() => next,
        };
        match next {
            Some(Heard::Payload(payload)) => {
                wire::split_lines(&payload).for_each(|line| show(&line, format));
            }
            Some(Heard::Missed(missed)) => output::remark(format!("{missed} log records were lost")),
            None => bail!("the broker is gone"),
        }
    }
}

fn show(line: &[u8], format: LogFormat) {
    if !says_something(line) {
        return;
    }
    match (format, wire::decode_line::<Activation>(line)) {
        (LogFormat::Json, _) => output::remark(output::escaped(&String::from_utf8_lossy(line))),
        (LogFormat::Text, Ok(activation)) => output::remark(text(&activation).trim_end()),
        (LogFormat::Text, Err(error)) => tracing::warn!(%error, "activation is not understood"),
    }
}

/// Most calls print nothing and go well; parsing those would cost more than running them.
fn says_something(line: &[u8]) -> bool {
    [&b"\"logs\":["[..], b"\"error\":"]
        .iter()
        .any(|mark| line.windows(mark.len()).any(|window| window == *mark))
}

/// One line for each thing that was said.
fn text(activation: &Activation) -> String {
    let (id, sha) = (&activation.request_id, activation.bundle.short());
    let call = || format!("{} {}", activation.method, activation.path);
    // What the document does not know has no operation; then only the call itself says what it was.
    let what = printable(&activation.operation.clone().unwrap_or_else(call));
    let replay = if activation.replay_of.is_some() { "replay: " } else { "" };
    let mut text = String::new();
    let said_below =
        |line: &&LogLine| line.stream == Stream::Platform && Some(&line.text) == activation.error.as_ref();
    for line in activation.logs.iter().filter(|line| !said_below(line)) {
        let stream = if line.stream == Stream::Platform { "platform: " } else { "" };
        let level = level(line);
        // Writing to a String cannot fail.
        let _written = writeln!(text, "{id} {sha} {what}  {replay}{stream}{level}{}", printable(&line.text));
    }
    if let Some(error) = &activation.error {
        let _written =
            writeln!(text, "{id} {sha} {what}  {replay}{} {}", activation.status, printable(error));
    }
    text
}

/// The level of a line, unless it is the usual one or the line says so itself.
fn level(line: &LogLine) -> String {
    let name = line.level.as_str().to_ascii_uppercase();
    let is_told = line.level == Level::Info || line.text.starts_with(&name);
    if is_told { String::new() } else { format!("{name} ") }
}

#[cfg(test)]
mod tests {
    use wire::{ActivationId, BundleSha, MemberId, Namespace, RequestId, Role, RouteId, Timestamp, Version};

    use super::*;

    fn activation(logs: &[&str], error: Option<&str>) -> Activation {
        let line = |text: &&str| LogLine {
            at: Timestamp(0),
            at_us: None,
            stream: Stream::Stdout,
            level: Level::Info,
            text: (*text).to_owned(),
        };
        Activation {
            v: Version,
            id: ActivationId::generate(),
            request_id: RequestId::parse("r1").unwrap(),
            namespace: Namespace::default(),
            route: RouteId::of(&Namespace::default(), "*", "/"),
            bundle: BundleSha::of(b""),
            operation: Some("getA".into()),
            attempt: 1,
            member: MemberId::generate(Role::Runner),
            method: "GET".into(),
            path: "/".into(),
            status: 502,
            at: Timestamp(0),
            queued_ms: 0,
            service_us: 0,
            cpu_us: 0,
            error: error.map(str::to_owned),
            replay_of: None,
            difference: None,
            logs: logs.iter().map(line).collect(),
        }
    }

    #[test]
    fn only_calls_that_say_something_are_read() {
        let encoded = |activation: &Activation| serde_json::to_vec(activation).unwrap();
        assert!(!says_something(&encoded(&activation(&[], None))));
        assert!(says_something(&encoded(&activation(&["a"], None))));
        assert!(says_something(&encoded(&activation(&[], Some("trap")))));
    }

    #[test]
    fn a_failure_is_told_once() {
        let mut failed = activation(&["trap"], Some("trap"));
        failed.logs.iter_mut().for_each(|line| line.stream = Stream::Platform);
        assert_eq!(text(&failed), "r1 e3b0c442 getA  502 trap\n");
    }

    #[test]
    fn a_line_names_request_bundle_and_operation() {
        assert_eq!(
            text(&activation(&["a", "b"], Some("trap"))),
            "r1 e3b0c442 getA  a\nr1 e3b0c442 getA  b\nr1 e3b0c442 getA  502 trap\n"
        );
    }

    #[test]
    fn a_line_says_how_much_it_matters_and_whether_it_is_of_a_replay() {
        let mut warned = activation(&["disk is full", "WARN of it"], None);
        warned.logs.iter_mut().for_each(|line| line.level = Level::Warn);
        assert_eq!(text(&warned), "r1 e3b0c442 getA  WARN disk is full\nr1 e3b0c442 getA  WARN of it\n");
        warned.logs.truncate(1);
        warned.replay_of = Some(ActivationId::generate());
        assert_eq!(text(&warned), "r1 e3b0c442 getA  replay: WARN disk is full\n");
    }
}
