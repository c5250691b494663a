//! `funcatron replay`: captured calls are run again, and their answers compared.

mod choice;
mod cluster;
mod file;
mod gate;
mod junit;
mod local;
mod outcome;
mod report;
mod round;
mod site;
mod story;
mod target;
mod update;

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::builder::NonEmptyStringValueParser;
use compare::Noise;
use wire::capture::Filter;

use crate::connection::Given;
use crate::output::{self, Format, Output};
use crate::trouble;
use choice::Choice;
use file::CaptureFile;
use local::{Props, Scene};
use report::{Count, Report};
use round::{Round, Speed, Told};
use target::{Servers, Target};

pub(crate) use gate::{Gate, MaxDiff};

/// Exit code 1 says that answers differ; whatever kept us from comparing them says this.
const NOT_COMPARED: u8 = 2;

const AFTER_HELP: &str = "\
A captured call is given the same time, the same random numbers and the same answers of others as the first
time, and can do nothing outside. Without --against it is run by the bundle that answered it then.
  --against DIR or ZIP   in this process, without any server
  --against SHA          likewise, fetched from the server; through the cluster if the captured route has it
  --against ROUTE        through the cluster, by whatever serves the route now
  --against URL          over HTTP; unless --outside is given, only what changes nothing (GET, HEAD, OPTIONS)

Exit codes: 0 every answer is the same or, with --update, was written; 1 some differ or are missing; 2 none could
be compared.

Example: what a change in this folder would have answered differently this morning
  funcatron capture export CAPTURE -o morning.jsonl
  funcatron replay morning.jsonl --against .
  funcatron replay morning.jsonl --against . --only 9d41c07be2 --trace";

/// Run captured calls again and show every answer that differs
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Replay {
    /// Captured calls, as `funcatron capture export` writes them
    file: PathBuf,
    /// Who is to answer instead of the bundle that did
    #[arg(long, value_name = "DIR|ZIP|SHA|ROUTE|URL")]
    against: Option<String>,
    /// As fast as it goes, or at the times of the capture
    #[arg(long, value_enum, default_value_t, value_name = "SPEED")]
    speed: Speed,
    /// Only calls like this, such as status>=500; again for a further condition
    #[arg(long = "filter", value_name = "CONDITION")]
    filters: Vec<Filter>,
    /// Only this call, by its request id or activation id, or the beginning or end of either
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    only: Option<String>,
    /// Tell all that happened during the call, which runs in this process
    #[arg(long, requires = "only")]
    trace: bool,
    /// Write the new answers into the file, in place of the recorded ones
    #[arg(long)]
    update: bool,
    /// Write a report in JUnit's format as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Let calls do again what they did outside, if it was not recorded
    #[arg(long)]
    outside: bool,
    /// The bundle to learn from which places differ anyway; the one that answered, when it can be had
    #[arg(long, value_name = "DIR|ZIP|SHA", requires = "against")]
    noise_from: Option<String>,
    #[command(flatten)]
    props: Props,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl Replay {
    pub(crate) fn run(self) -> Result<ExitCode> {
        self.replay().or_else(|error| {
            trouble::report(&error);
            Ok(ExitCode::from(NOT_COMPARED))
        })
    }

    fn replay(self) -> Result<ExitCode> {
        let file = CaptureFile::open(&self.file)?;
        let choice = Choice::new(self.filters.clone(), self.only.clone());
        // Where it cannot be written is told before all calls have run. An old report is not left for a new one.
        let create = |path: &PathBuf| File::create(path).with_context(|| format!("write {}", path.display()));
        let junit = self.junit.as_ref().map(create).transpose()?;
        let runtime = runtime()?;
        let (report, told) = runtime.block_on(self.compare(&file, &choice))?;
        if self.output.format == Format::Json {
            output::json(&report)?;
        } else if told.stories.is_empty() {
            output::line(report.to_string())?;
        }
        if let Some(file) = &junit {
            junit::write(file, &report).context("write the report")?;
        }
        if let Some(updated) = told.updated {
            output::remark(format!("wrote {} to {}", Count(updated, "new answer"), self.file.display()));
        }
        let is_well = if self.update { report.failed == 0 } else { report.is_same() };
        Ok(match (report.is_compared(), is_well) {
            (false, _) => ExitCode::from(NOT_COMPARED),
            (true, false) => ExitCode::FAILURE,
            (true, true) => ExitCode::SUCCESS,
        })
    }

    async fn compare(&self, file: &CaptureFile, choice: &Choice) -> Result<(Report, Told)> {
        let survey = file.survey(choice)?;
        match survey.chosen {
            0 if survey.entries == 0 => bail!("{}: the capture is empty", self.file.display()),
            0 => bail!("{}: no call {}", self.file.display(), choice.missed()),
            2.. if self.trace => bail!("{} calls are meant; --trace tells of one", survey.chosen),
            _ => {}
        }
        let scene = Scene::of(&file.header, &self.props, self.outside)?;
        let servers = Servers {
            given: &self.given,
            scene: &scene,
            bundles: &survey.bundles,
            noise_from: self.noise_from.as_deref(),
        };
        let target = match &self.against {
            Some(text) => servers.target(text).await?,
            None => Target::Local(servers.answered().await?),
        };
        if self.trace && !matches!(target, Target::Local(_)) {
            bail!(
                "--trace tells of a call that runs in this process: by a folder, a bundle, or what answered it"
            );
        }
        let noise = self.noise(file, choice, &servers).await?;
        let round =
            Round { file, choice, target: Arc::new(target), speed: self.speed, noise: Arc::new(noise) };
        let mut told = round.run(self.trace, self.update.then_some(&*self.file)).await?;
        told.stories.iter().try_for_each(output::line)?;
        let report = Report::of(file, &survey, std::mem::take(&mut told.outcomes), &round.noise);
        Ok((report.described(round.target.is_described(&survey.bundles)), told))
    }

    /// The places that differ although nothing has changed.
    async fn noise(&self, file: &CaptureFile, choice: &Choice, servers: &Servers<'_>) -> Result<Noise> {
        let old = match (&self.noise_from, &self.against) {
            (Some(text), _) => servers.local(text).await?,
            (None, None) => return Ok(Noise::default()),
            (None, Some(_)) => match servers.old().await {
                Some(old) => old,
                None => return Ok(Noise::default()),
            },
        };
        Round { file, choice, target: Arc::new(Target::Local(old)), speed: Speed::Max, noise: Arc::default() }
            .learn()
            .await
    }
}

/// Threads for all processors: Funcs run in this process.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
