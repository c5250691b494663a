//! `Local`: bundles that run in this process, with no cluster at all.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use compare::Noise;
use runner::{Settings, Stage};
use swagger::BasePath;
use tempfile::TempDir;
use wire::capture::{CaptureEntry, CaptureHeader};
use wire::{ActivationId, BundleSha, Invoke, Replay, RouteId};

use super::outcome::Judged;
use super::target::Played;
use crate::{check, deploy};

/// Each holds an engine and compiled code.
const BUNDLES_MAX: usize = 8;

/// What a Func is given, since no server says what its settings are.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Props {
    /// A JSON file with the props, for Funcs that run in this process
    #[arg(long, value_name = "FILE")]
    props: Option<PathBuf>,
    /// One of the props; the value is JSON or else text
    #[arg(short = 'p', long = "prop", value_name = "KEY=VALUE")]
    prop: Vec<String>,
    /// Hosts that the Func may call with --outside
    #[arg(long, value_name = "HOST,…", value_delimiter = ',')]
    outbound: Vec<String>,
}

/// What every bundle that runs here is given.
pub(crate) struct Scene {
    settings: Settings,
    route: RouteId,
    config: runner::Config,
    pub(crate) base_path: BasePath,
    /// Whether calls may do what was not recorded.
    pub(crate) outside: bool,
    /// Compiled code, where it cannot be kept.
    _cache: Option<TempDir>,
}

impl Scene {
    /// The scene of a capture.
    pub(crate) fn of(header: &CaptureHeader, props: &Props, outside: bool) -> Result<Self> {
        let given = deploy::props(props.props.as_deref(), &props.prop)?;
        Self::with(header, given.unwrap_or_default(), props.outbound.clone(), outside)
    }

    /// The same, with props that are there already.
    pub(crate) fn with(
        header: &CaptureHeader,
        props: serde_json::Map<String, serde_json::Value>,
        outbound: Vec<String>,
        outside: bool,
    ) -> Result<Self> {
        let (cache_dir, cache) = match check::cache_dir() {
            Some(dir) => (dir, None),
            None => {
                let dir = tempfile::tempdir().context("make a directory for compiled code")?;
                (dir.path().to_owned(), Some(dir))
            }
        };
        let settings = Settings {
            namespace: header.capture.namespace.clone(),
            host: header.host.clone(),
            base_path: header.base_path.clone(),
            props,
            outbound,
        };
        let base_path = BasePath::parse(&header.base_path).context("the header of the capture")?;
        let route = header.capture.route.clone();
        Ok(Self {
            settings,
            route,
            config: check::runner_config(cache_dir)?,
            base_path,
            outside,
            _cache: cache,
        })
    }

    /// The route that the calls were captured from.
    pub(crate) fn route(&self) -> &RouteId {
        &self.route
    }

    /// Whether any props are given here.
    pub(crate) fn has_props(&self) -> bool {
        !self.settings.props.is_empty()
    }

    /// Those of these props that are not given here.
    pub(crate) fn lacking(&self, names: Vec<String>) -> Vec<String> {
        names.into_iter().filter(|name| !self.settings.props.contains_key(name)).collect()
    }

    async fn stage(&self, zip: Bytes) -> Result<Stage> {
        Ok(Stage::open(&self.config, zip, self.settings.clone()).await?)
    }
}

/// Bundles that run in this process.
pub(crate) struct Local {
    /// The one that answers everything, or each what it answered before.
    stages: Stages,
    base_path: BasePath,
    outside: bool,
}

enum Stages {
    One(Stage),
    Each(HashMap<BundleSha, Stage>),
}

impl Local {
    /// A bundle that answers every call.
    pub(crate) async fn one(scene: &Scene, zip: Bytes) -> Result<Self> {
        Ok(Self::of(scene, Stages::One(scene.stage(zip).await?)))
    }

    /// Bundles of which each answers what it answered before.
    pub(crate) async fn each(scene: &Scene, zips: Vec<(BundleSha, Bytes)>) -> Result<Self> {
        if zips.len() > BUNDLES_MAX {
            bail!("{} bundles have answered these calls; say which one is to, with --against", zips.len());
        }
        let mut stages = HashMap::new();
        for (sha, zip) in zips {
            let stage = scene.stage(zip).await.with_context(|| format!("bundle {}", sha.short()))?;
            stages.insert(sha, stage);
        }
        Ok(Self::of(scene, Stages::Each(stages)))
    }

    fn of(scene: &Scene, stages: Stages) -> Self {
        Self { stages, base_path: scene.base_path.clone(), outside: scene.outside }
    }

    pub(crate) async fn play(&self, entry: &CaptureEntry) -> Result<Played> {
        let staged = self.stage(entry)?.run(again(entry, self.outside)).await;
        Ok(Played { answer: staged.answer, ran: Some((staged.activation, staged.drawn)) })
    }

    pub(crate) fn judge(&self, entry: &CaptureEntry, played: &Played, noise: &Noise) -> Result<Judged> {
        Ok(Judged::of(self.stage(entry)?.document(), &self.base_path, entry, &played.answer, noise))
    }

    pub(crate) fn redact(&self, entry: &mut CaptureEntry) -> Result<()> {
        let stage = self.stage(entry)?;
        runner::redact(entry, stage.document(), &self.base_path);
        Ok(())
    }

    fn stage(&self, entry: &CaptureEntry) -> Result<&Stage> {
        match &self.stages {
            Stages::One(stage) => Ok(stage),
            Stages::Each(stages) => stages.get(&entry.activation.bundle).context("its bundle is not here"),
        }
    }
}

/// The call once more, with all that it drew.
fn again(entry: &CaptureEntry, outside: bool) -> Invoke {
    Invoke {
        activation: ActivationId::generate(),
        reply_to: None,
        asynchronous: false,
        queue: None,
        bundle: None,
        replay: Some(Box::new(replay(entry, outside))),
        ..entry.invoke.clone()
    }
}

/// What marks the call as a replay of this one.
pub(crate) fn replay(entry: &CaptureEntry, outside: bool) -> Replay {
    let drawn = Some(&entry.drawn).filter(|drawn| !drawn.is_nothing()).cloned();
    Replay { of: entry.invoke.activation, drawn, outside, expected: None }
}
