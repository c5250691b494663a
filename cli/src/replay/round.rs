//! `Round`: runs the calls that are meant, several at a time, in the order of the file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use compare::Noise;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, sleep_until};
use wire::capture::CaptureEntry;
use wire::{Body, Timestamp};

use super::choice::Choice;
use super::file::{CaptureFile, Line};
use super::outcome::{Judged, Outcome, Verdict};
use super::story;
use super::target::{Played, Target};
use super::update::Update;
use crate::trouble;

/// As many as keep some processors busy, and fewer than a Tron takes of an operator.
const IN_FLIGHT_MAX: usize = 32;

/// How fast calls follow one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Speed {
    /// As fast as it goes
    #[default]
    Max,
    /// As they came
    #[value(name = "1x")]
    Original,
}

/// Runs the calls that are meant.
pub(crate) struct Round<'r> {
    pub(crate) file: &'r CaptureFile,
    pub(crate) choice: &'r Choice,
    pub(crate) target: Arc<Target>,
    pub(crate) speed: Speed,
    pub(crate) noise: Arc<Noise>,
}

/// What is told of a round.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) stories: Vec<String>,
}

/// A line, and what running its call again came to, if it is meant.
type Run = (Line, Option<Result<(Played, Judged), Verdict>>);

impl Round<'_> {
    /// Runs all of them. Answers are written into `update`, in place of those that are there.
    pub(crate) async fn run(&self, traces: bool, update: Option<&Path>) -> Result<Told> {
        let mut told = Told::default();
        let mut update = update.map(|path| Update::begin(path, &self.file.header)).transpose()?;
        let mut runs = std::pin::pin!(self.runs()?);
        while let Some(run) = runs.next().await {
            let (line, run) = run?;
            if let Some(update) = &mut update {
                let played = run.as_ref().and_then(|run| run.as_ref().ok()).map(|(played, _)| played);
                update.write(&line, played, &self.target)?;
            }
            let Some(run) = run else { continue };
            if traces && let Ok((played, judged)) = &run {
                told.stories.extend(story::of(&line.entry, played, judged));
            }
            told.outcomes.push(self.outcome(&line.entry, run));
        }
        if let Some(update) = update {
            update.finish()?;
        }
        Ok(told)
    }

    /// Learns which places differ when nothing has changed. An answer with another status says nothing about them.
    pub(crate) async fn learn(&self) -> Result<Noise> {
        let mut noise = Noise::default();
        let mut runs = std::pin::pin!(self.runs()?);
        while let Some(run) = runs.next().await {
            if let (line, Some(Ok((played, judged)))) = run?
                && played.answer.status == line.entry.answer.status
            {
                noise.learn(judged.operation.as_deref(), &judged.differences);
            }
        }
        Ok(noise)
    }

    fn outcome(&self, entry: &CaptureEntry, run: Result<(Played, Judged), Verdict>) -> Outcome {
        let (played, judged) = match run {
            Ok(judged) => judged,
            Err(verdict) => return Outcome::of(entry, verdict),
        };
        let differences = self.noise.without(judged.operation.as_deref(), judged.differences);
        let verdict = if differences.is_empty() { Verdict::Same } else { Verdict::Different(differences) };
        Outcome {
            operation: judged.operation,
            took_us: played.ran.map(|(activation, _)| activation.service_us),
            ..Outcome::of(entry, verdict)
        }
    }

    /// Every line in its order; the calls among them that are meant run meanwhile.
    fn runs(&self) -> Result<impl Stream<Item = Result<Run>>> {
        let began = Instant::now();
        let mut first = None;
        let lines = self.file.entries()?.map(move |line| {
            let line = line?;
            let (is_meant, at) = (self.choice.takes(&line.entry), line.entry.invoke.at);
            let due = is_meant.then(|| began + self.pause(*first.get_or_insert(at), at));
            Ok((line, due))
        });
        let run = move |line: Result<(Line, Option<Instant>)>| async move {
            let (line, due) = line?;
            let Some(due) = due else { return Ok((line, None)) };
            sleep_until(due).await;
            let (target, entry) = (Arc::clone(&self.target), Arc::clone(&line.entry));
            let run = tokio::spawn(async move { run(&target, &entry).await }).await?;
            Ok((line, Some(run)))
        };
        Ok(stream::iter(lines).map(run).buffered(IN_FLIGHT_MAX))
    }

    /// How long after the first call this one is due.
    fn pause(&self, first: Timestamp, at: Timestamp) -> Duration {
        match self.speed {
            Speed::Max => Duration::ZERO,
            Speed::Original => at.since(first),
        }
    }
}

async fn run(target: &Target, entry: &CaptureEntry) -> Result<(Played, Judged), Verdict> {
    if let Some(why) = never_ran(entry).or_else(|| target.passes_over(entry)) {
        return Err(Verdict::Skipped(why.to_owned()));
    }
    let played = async {
        let played = target.play(entry).await?;
        let judged = target.judge(entry, &played)?;
        anyhow::Ok((played, judged))
    };
    played.await.map_err(|error| Verdict::Failed(trouble::chain(&error)))
}

/// Why there is nothing to compare with, if there is not.
fn never_ran(entry: &CaptureEntry) -> Option<&'static str> {
    let was_refused = entry.activation.error.is_some() && entry.activation.operation.is_none();
    if was_refused && matches!(entry.answer.status, 410 | 503 | 504) {
        return Some("no Func ran when it was captured");
    }
    matches!(entry.invoke.body, Body::Stored(_)).then_some("its body is not in the file")
}
