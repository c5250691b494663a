//! `Gate`: holds a bundle to recorded answers before it is deployed.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Result, bail};
use bytes::Bytes;
use serde_json::{Map, Value};
use wire::{BadPercent, Percent};

use super::choice::Choice;
use super::file::CaptureFile;
use super::local::{Local, Scene};
use super::report::Report;
use super::round::{Round, Speed};
use super::target::{Servers, Target};
use crate::connection::Given;
use crate::output;

/// How many answers may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxDiff {
    /// So many.
    Calls(u64),
    /// A share of all.
    Share(Percent),
}

impl MaxDiff {
    fn is_exceeded_by(self, different: u64, calls: u64) -> bool {
        match self {
            Self::Calls(max) => different > max,
            Self::Share(max) => max.is_exceeded_by(different, calls),
        }
    }
}

impl Default for MaxDiff {
    fn default() -> Self {
        Self::Calls(0)
    }
}

impl FromStr for MaxDiff {
    type Err = BadPercent;

    /// Reads `3` and `1%`.
    fn from_str(text: &str) -> Result<Self, BadPercent> {
        match text.parse() {
            Ok(calls) => Ok(Self::Calls(calls)),
            Err(_) if text.ends_with('%') => Ok(Self::Share(text.parse()?)),
            Err(_) => Err(BadPercent),
        }
    }
}

/// Holds a bundle to recorded answers.
pub(crate) struct Gate<'g> {
    pub(crate) file: PathBuf,
    pub(crate) max_diff: MaxDiff,
    pub(crate) props: Map<String, Value>,
    pub(crate) given: &'g Given,
}

impl Gate<'_> {
    /// Runs the recorded calls with the bundle, in this process, and shows what it answers differently.
    ///
    /// # Errors
    /// When it answers too many of them differently, or none could be compared.
    pub(crate) fn check(self, zip: Bytes) -> Result<()> {
        let file = CaptureFile::open(&self.file)?;
        let report = super::runtime()?.block_on(self.report(&file, zip))?;
        output::line(report.to_string())?;
        let (different, compared) = (report.different + report.failed, report.calls - report.skipped);
        if !report.is_compared() {
            bail!("no call of {} can be run again; nothing was deployed", report.file);
        }
        if self.max_diff.is_exceeded_by(different as u64, compared as u64) {
            bail!("{different} of {compared} recorded answers would change; nothing was deployed");
        }
        Ok(())
    }

    async fn report(&self, file: &CaptureFile, zip: Bytes) -> Result<Report> {
        let choice = Choice::default();
        let survey = file.survey(&choice)?;
        let scene = Scene::with(&file.header, self.props.clone(), Vec::new(), false)?;
        let servers =
            Servers { given: self.given, scene: &scene, bundles: &survey.bundles, noise_from: None };
        servers.check_new_props()?;
        let new = Arc::new(Target::Local(Local::one(&scene, zip).await?));
        let round = |target, noise| Round { file, choice: &choice, target, speed: Speed::Max, noise };
        let noise = match servers.old().await {
            Some(old) => round(Arc::new(Target::Local(old)), Arc::default()).learn().await?,
            None => Default::default(),
        };
        let round = round(new, Arc::new(noise));
        let told = round.run(false, None).await?;
        Ok(Report::of(file, &survey, told.outcomes, &round.noise))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_number_of_calls_or_a_share_of_them() {
        let read = |text: &str| text.parse::<MaxDiff>();
        assert_eq!(read("0"), Ok(MaxDiff::Calls(0)));
        assert!(read("3").is_ok_and(|max| max.is_exceeded_by(4, 1_000) && !max.is_exceeded_by(3, 3)));
        assert!(read("1%").is_ok_and(|max| max.is_exceeded_by(11, 1_000) && !max.is_exceeded_by(10, 1_000)));
        for text in ["", "-1", "1.5", "101%", "many"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
