//! `funcatron logs`: what Funcs print, and what the platform says about their calls.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use wire::admin::{LogEntry, Missed, RouteInfo};
use wire::{Level, Stream, Timestamp};

use crate::connection::Given;
use crate::output::{Format, Output, printable};
use crate::server::{Server, escape};
use crate::settings::quantity;
use crate::{clock, log_level, output, selection};

/// Who asks for a time wants all of it, as far as a server gives it.
const SINCE_LIMIT: usize = 1_000;

/// Show what Funcs print
#[derive(Debug, clap::Args)]
#[command(visible_alias = "tail")]
pub(crate) struct Logs {
    #[command(flatten)]
    asked: Asked,
    /// Only lines of this level and above: trace, debug, info, warn or error
    #[arg(long, value_parser = log_level::level)]
    level: Option<Level>,
    /// Only lines of so long ago or less
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    since: Option<Duration>,
    /// Go on and show new lines as they are written
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

/// Which records are asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked {
    /// Only this route: its id or the beginning of it, its base path, or host and base path
    pub(crate) route: Option<String>,
    /// Only this request, by the X-Request-Id of its response
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// At most so many, the latest ones
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
}

/// A line of an answer that is followed.
#[derive(Deserialize)]
#[serde(untagged)]
enum Followed {
    Entry(LogEntry),
    Missed(Missed),
    /// What a newer server may have to say.
    Other(IgnoredAny),
}

impl Logs {
    pub(crate) fn run(self) -> Result<()> {
        let server = Server::choose(&self.given)?;
        let routes: Vec<RouteInfo> =
            if self.asked.route.is_some() { server.get("/routes")? } else { Vec::new() };
        let since = self.since.map(|ago| Timestamp::now().before(ago));
        let mut asked = query_pairs(&self.asked, &routes)?;
        if since.is_some() && self.asked.limit.is_none() {
            asked.push(("limit", SINCE_LIMIT.to_string()));
        }
        asked.extend(since.map(|since| ("since", since.0.to_string())));
        asked.extend(self.level.map(|level| ("level", level.to_string())));
        asked.extend(self.follow.then(|| ("follow", "true".to_owned())));
        let path = format!("/logs{}", joined(&asked));
        if self.follow {
            self.follow(&server, &path)
        } else {
            self.show(&server.get::<Vec<LogEntry>>(&path)?)
        }
    }

    fn show(&self, entries: &[LogEntry]) -> Result<()> {
        match self.output.format {
            Format::Json => output::json(&entries),
            Format::Table if entries.is_empty() => {
                output::remark("nothing was printed; `funcatron activations` lists the calls");
                Ok(())
            }
            Format::Table => entries.iter().try_for_each(|entry| Ok(output::line(line(entry))?)),
        }
    }

    fn follow(&self, server: &Server, path: &str) -> Result<()> {
        for text in server.lines(path)? {
            let text = text.context("the server closed the stream")?;
            match (self.output.format, serde_json::from_str(&text).context("understand a line of the log")?) {
                (Format::Json, _) => output::json_text(&text)?,
                (Format::Table, Followed::Entry(entry)) => output::line(line(&entry))?,
                (Format::Table, Followed::Missed(Missed { missed })) => {
                    output::remark(format!("{missed} records were lost on the way"));
                }
                (Format::Table, Followed::Other(_)) => {}
            }
        }
        Ok(())
    }
}

/// The query that asks for them.
pub(crate) fn query(asked: &Asked, routes: &[RouteInfo]) -> Result<String> {
    Ok(joined(&query_pairs(asked, routes)?))
}

fn query_pairs(asked: &Asked, routes: &[RouteInfo]) -> Result<Vec<(&'static str, String)>> {
    let route = asked.route.as_deref().map(|text| selection::route(routes, text)).transpose()?;
    let pairs = [
        ("route", route.map(|route| route.id.to_string())),
        ("request_id", asked.request_id.as_deref().map(escape)),
        ("limit", asked.limit.map(|limit| limit.to_string())),
    ];
    Ok(pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

fn joined(pairs: &[(&str, String)]) -> String {
    let query = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    if query.is_empty() { query } else { format!("?{query}") }
}

/// One entry in one line.
fn line(entry: &LogEntry) -> String {
    let operation = entry.operation.as_deref().unwrap_or("-");
    let stream = match entry.stream {
        Stream::Stdout => "",
        Stream::Stderr => "stderr: ",
        Stream::Platform => "platform: ",
    };
    let (at, id, sha) = (clock::utc(entry.at), &entry.request_id, entry.bundle.short());
    let level = entry.level.as_str().to_ascii_uppercase();
    let replay = if entry.replay_of.is_some() { "replay: " } else { "" };
    format!("{at} {level:5} {id} {sha} {operation}  {replay}{stream}{}", printable(&entry.text))
}

#[cfg(test)]
mod tests {
    use wire::ActivationId;

    use super::*;

    #[test]
    fn only_what_is_asked_for_is_in_the_query() {
        let asked = Asked { route: None, request_id: Some("a b".into()), limit: Some(5) };
        assert_eq!(query(&asked, &[]).unwrap(), "?request_id=a%20b&limit=5");
        let nothing = Asked { route: None, request_id: None, limit: None };
        assert_eq!(query(&nothing, &[]).unwrap(), "");
    }

    #[test]
    fn a_line_of_a_replay_says_so() {
        let entry = |replay_of| LogEntry {
            at: Timestamp(0),
            request_id: wire::RequestId::parse("r1").unwrap(),
            activation: ActivationId::generate(),
            route: wire::RouteId::of(&wire::Namespace::default(), "*", "/"),
            bundle: wire::BundleSha::of(b""),
            operation: Some("getA".into()),
            replay_of,
            stream: Stream::Stderr,
            level: Level::Warn,
            text: "a\u{1b}[2J".into(),
        };
        let start = "1970-01-01T00:00:00.000Z WARN  r1 e3b0c442 getA  ";
        assert_eq!(line(&entry(None)), format!("{start}stderr: a\u{fffd}[2J"));
        let replay = line(&entry(Some(ActivationId::generate())));
        assert_eq!(replay, format!("{start}replay: stderr: a\u{fffd}[2J"));
    }
}
