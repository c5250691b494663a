//! `Round`: runs the calls that are meant, several at a time.

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
/// How often an answer is looked at for places that differ anyway: each time finds some hundred.
const LOOKS_MAX: usize = 10;

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
    /// In the order of the file.
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) stories: Vec<String>,
    /// Answers that were written into the file.
    pub(crate) updated: Option<usize>,
}

/// A line, and what running its call again came to, if it is meant.
struct Run {
    /// Where it stands in the file.
    number: usize,
    line: Line,
    came_to: Option<Result<(Played, Judged), Verdict>>,
}

impl Round<'_> {
    /// Runs all of them. Answers are written into `update`, in place of those that are there.
    pub(crate) async fn run(&self, traces: bool, update: Option<&Path>) -> Result<Told> {
        let mut told = Told::default();
        let mut update = update.map(|path| Update::begin(path, &self.file.header)).transpose()?;
        let mut outcomes = Vec::new();
        let mut runs = std::pin::pin!(self.runs(update.is_some())?);
        while let Some(run) = runs.next().await {
            let Run { number, line, came_to } = run?;
            if let Some(update) = &mut update {
                let played = came_to.as_ref().and_then(|came_to| came_to.as_ref().ok());
                update.write(&line, played.map(|(played, _)| played), &self.target)?;
                *told.updated.get_or_insert_default() += usize::from(played.is_some());
            }
            let Some(came_to) = came_to else { continue };
            if traces && let Ok((played, judged)) = &came_to {
                told.stories.extend(story::of(&line.entry, played, judged));
            }
            outcomes.push((number, outcome(&line.entry, came_to)));
        }
        if let Some(update) = update {
            update.finish()?;
        }
        outcomes.sort_unstable_by_key(|(number, _)| *number);
        told.outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
        Ok(told)
    }

    /// Learns which places differ when nothing has changed. An answer with another status says nothing about them.
    pub(crate) async fn learn(&self) -> Result<Noise> {
        let mut noise = Noise::default();
        let mut runs = std::pin::pin!(self.runs(false)?);
        while let Some(run) = runs.next().await {
            let Run { line, came_to, .. } = run?;
            if let Some(Ok((played, mut judged))) = came_to
                && played.answer.status == line.entry.answer.status
            {
                let mut looks = 1;
                // More may differ than is told at a time.
                while noise.learn(judged.operation.as_deref(), &judged.differences) && looks < LOOKS_MAX {
                    judged = self.target.judge(&line.entry, &played, &noise)?;
                    looks += 1;
                }
            }
        }
        Ok(noise)
    }

    /// Every line, and what became of the calls among them that are meant. In the order of the file only if that is
    /// wanted: whoever waits for a slow one then holds up those after it.
    fn runs(&self, in_order: bool) -> Result<impl Stream<Item = Result<Run>>> {
        let began = Instant::now();
        let mut first = None;
        let lines = self.file.entries()?.map(move |line| {
            let line = line?;
            let (is_meant, at) = (self.choice.takes(&line.entry), line.entry.invoke.at);
            let due = is_meant.then(|| began + self.pause(*first.get_or_insert(at), at));
            Ok((line, due))
        });
        let run = move |(number, line): (usize, Result<(Line, Option<Instant>)>)| async move {
            let (line, due) = line?;
            let Some(due) = due else { return Ok(Run { number, line, came_to: None }) };
            sleep_until(due).await;
            let (target, entry, noise) =
                (Arc::clone(&self.target), Arc::clone(&line.entry), Arc::clone(&self.noise));
            let came_to = tokio::spawn(async move { run(&target, &entry, &noise).await }).await?;
            Ok(Run { number, line, came_to: Some(came_to) })
        };
        let runs = stream::iter(lines.enumerate()).map(run);
        Ok(match in_order {
            true => runs.buffered(IN_FLIGHT_MAX).left_stream(),
            false => runs.buffer_unordered(IN_FLIGHT_MAX).right_stream(),
        })
    }

    /// How long after the first call this one is due.
    fn pause(&self, first: Timestamp, at: Timestamp) -> Duration {
        match self.speed {
            Speed::Max => Duration::ZERO,
            Speed::Original => at.since(first),
        }
    }
}

fn outcome(entry: &CaptureEntry, came_to: Result<(Played, Judged), Verdict>) -> Outcome {
    let (played, Judged { operation, differences }) = match came_to {
        Ok(judged) => judged,
        Err(verdict) => return Outcome::of(entry, verdict),
    };
    let verdict = if differences.is_empty() { Verdict::Same } else { Verdict::Different(differences) };
    let took_us = played.ran.map(|(activation, _)| activation.service_us);
    Outcome { operation, took_us, ..Outcome::of(entry, verdict) }
}

async fn run(target: &Target, entry: &CaptureEntry, noise: &Noise) -> Result<(Played, Judged), Verdict> {
    if let Some(why) = never_ran(entry).or_else(|| target.passes_over(entry)) {
        return Err(Verdict::Skipped(why.to_owned()));
    }
    let played = async {
        let played = target.play(entry).await?;
        let judged = target.judge(entry, &played, noise)?;
        anyhow::Ok((played, judged))
    };
    played.await.map_err(|error| Verdict::Failed(trouble::chain(&error)))
}

/// Why there is nothing to compare with, if there is not.
fn never_ran(entry: &CaptureEntry) -> Option<&'static str> {
    if !entry.was_begun() {
        return Some("no Func ran when it was captured");
    }
    matches!(entry.invoke.body, Body::Stored(_)).then_some("its body is not in the file")
}
