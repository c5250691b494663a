//! `Site`: keeps what is served in line with what is on disk. It takes no input but the disk itself, so
//! that the start, a save, a new folder and a removed one are one path.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::future::join_all;
use tron::{Handle, Rejection};
use wire::admin::{BundleInfo, DeployRequest};
use wire::{BundleSha, Namespace, RouteId};

use super::scan::{Source, scan};
use crate::output;
use crate::trouble::{self, Faulty};

/// Who the deployment log names.
const BY: &str = "dev";

/// The Funcs of the given paths and what has become of them.
pub(super) struct Site {
    handle: Handle,
    paths: Vec<PathBuf>,
    funcs: BTreeMap<PathBuf, Func>,
    started: bool,
}

/// One Func on disk.
#[derive(Debug, Default)]
struct Func {
    name: String,
    /// The bytes that were last tried; none when it is worth trying them again.
    tried: Option<BundleSha>,
    serving: Option<Serving>,
    /// What is wrong with what is on disk, as it was last told.
    complaint: Option<String>,
}

/// What serves a route.
#[derive(Clone, Debug)]
pub(super) struct Serving {
    pub(super) route: RouteId,
    pub(super) bundle: Arc<BundleInfo>,
}

/// A change on disk that Tron has accepted as a bundle.
struct Accepted {
    path: PathBuf,
    serving: Serving,
}

impl Site {
    pub(super) fn new(handle: Handle, paths: Vec<PathBuf>) -> Self {
        Self { handle, paths, funcs: BTreeMap::new(), started: false }
    }

    /// What is served, by the names of the Funcs.
    pub(super) fn serving(&self) -> impl Iterator<Item = (&str, &Serving)> {
        self.funcs.values().filter_map(|func| Some((func.name.as_str(), func.serving.as_ref()?)))
    }

    /// Looks at the disk and acts on the difference; the folders to watch for the next one.
    ///
    /// # Errors
    /// When a given path does not exist at the start, or the platform fails; a Func with mistakes is told
    /// about and keeps its last good version.
    pub(super) async fn sync(&mut self) -> Result<Vec<PathBuf>> {
        let begun = Instant::now();
        let paths = self.paths.clone();
        let found = tokio::task::spawn_blocking(move || scan(&paths)).await.context("look at the disk")??;
        if let Some(path) = found.missing.first().filter(|_| !self.started) {
            bail!("there is no {}", path.display());
        }
        self.forget_missing(&found.sources).await;
        let changed = self.changed(found.sources);
        let uploads = changed.into_iter().map(|source| upload(self.handle.clone(), source));
        let accepted = self.sort_out(join_all(uploads).await);
        let accepted = self.settle_claims(accepted);
        let deployments = accepted.into_iter().map(|accepted| deploy(self.handle.clone(), accepted));
        for (accepted, deployed) in join_all(deployments).await {
            self.take_up(accepted, deployed, begun).await?;
        }
        if !self.started {
            self.remove_leftovers().await?;
            self.started = true;
        }
        Ok(found.folders)
    }

    /// Stops serving what is no longer on disk.
    async fn forget_missing(&mut self, sources: &[Source]) {
        let missing: Vec<PathBuf> = self
            .funcs
            .keys()
            .filter(|path| sources.iter().all(|source| source.path != **path))
            .cloned()
            .collect();
        for path in missing {
            let Some(func) = self.funcs.remove(&path) else { continue };
            if let Some(serving) = func.serving {
                self.undeploy(&serving.route).await;
            }
            output::remark(format!("{}  removed", func.name));
        }
    }

    /// The sources whose bytes were not tried yet.
    fn changed(&mut self, sources: Vec<Source>) -> Vec<Source> {
        let mut changed = Vec::new();
        for source in sources {
            let func = self.funcs.entry(source.path.clone()).or_default();
            func.name.clone_from(&source.name);
            let sha = source.zip.as_ref().ok().map(|zip| BundleSha::of(zip));
            if sha.is_none() || func.tried != sha {
                func.tried = sha;
                changed.push(source);
            }
        }
        changed
    }

    /// Tells what is wrong with those that are not accepted; the others.
    fn sort_out(&mut self, uploads: Vec<(PathBuf, Result<Arc<BundleInfo>>)>) -> Vec<Accepted> {
        let mut accepted = Vec::new();
        for (path, uploaded) in uploads {
            match uploaded {
                Ok(bundle) => accepted.push(Accepted { path, serving: Serving::of(bundle) }),
                Err(error) => self.complain(&path, &error),
            }
        }
        accepted
    }

    /// Of two that claim a route, the one that has it keeps it.
    fn settle_claims(&mut self, accepted: Vec<Accepted>) -> Vec<Accepted> {
        let others =
            self.funcs.iter().filter(|(path, _)| accepted.iter().all(|change| change.path != **path));
        let mut claims: BTreeMap<RouteId, PathBuf> = others
            .filter_map(|(path, func)| Some((func.serving.as_ref()?.route.clone(), path.clone())))
            .collect();
        // One that stays where it is comes before one that moves in, whatever their names.
        let (staying, moving): (Vec<_>, Vec<_>) = accepted.into_iter().partition(|change| self.stays(change));
        let mut settled = Vec::new();
        for change in staying.into_iter().chain(moving) {
            match claims.get(&change.serving.route) {
                Some(owner) => self.refuse_claim(&change, &owner.clone()),
                None => {
                    claims.insert(change.serving.route.clone(), change.path.clone());
                    settled.push(change);
                }
            }
        }
        settled
    }

    fn stays(&self, change: &Accepted) -> bool {
        let serving = self.funcs.get(&change.path).and_then(|func| func.serving.as_ref());
        serving.is_some_and(|serving| serving.route == change.serving.route)
    }

    fn refuse_claim(&mut self, change: &Accepted, owner: &Path) {
        let (place, owner) = (change.serving.place(), owner.display());
        let error = anyhow!("{} claims {place}, which {owner} serves already", change.path.display());
        self.complain(&change.path, &error);
        // The other may go away or move.
        if let Some(func) = self.funcs.get_mut(&change.path) {
            func.tried = None;
        }
    }

    /// Notes what is served now, or that the change came to nothing.
    async fn take_up(&mut self, accepted: Accepted, deployed: Result<()>, begun: Instant) -> Result<()> {
        let Accepted { path, serving } = accepted;
        let before = self.funcs.get(&path).and_then(|func| func.serving.clone());
        if let Err(error) = deployed {
            self.complain(&path, &error);
            return self.restore(before).await;
        }
        let Some(func) = self.funcs.get_mut(&path) else { return Ok(()) };
        func.complaint = None;
        func.serving = Some(serving.clone());
        if self.started {
            let done = if before.is_some() { "reloaded" } else { "served" };
            output::line(format!("{}  {done} in {} ms", func.name, begun.elapsed().as_millis()))?;
        }
        let left = before.map(|before| before.route).filter(|route| *route != serving.route);
        if let Some(route) = left.filter(|route| self.serving().all(|(_, other)| other.route != *route)) {
            self.undeploy(&route).await;
        }
        Ok(())
    }

    /// Puts the last good version back when no runner could load the new one.
    async fn restore(&self, before: Option<Serving>) -> Result<()> {
        match before {
            Some(serving) => Ok(self.handle.deploy(&serving.request(), BY).await.map(drop)?),
            None => Ok(()),
        }
    }

    /// Takes away what an earlier run left behind: the paths say what there is.
    async fn remove_leftovers(&self) -> Result<()> {
        for route in self.handle.routes().await? {
            if self.serving().all(|(_, serving)| serving.route != route.id) {
                self.undeploy(&route.id).await;
            }
        }
        Ok(())
    }

    async fn undeploy(&self, route: &RouteId) {
        match self.handle.undeploy(route, BY).await {
            // Somebody else was faster.
            Ok(_) | Err(Rejection::NotFound(_)) => {}
            Err(error) => output::remark(format!("cannot remove route {route}: {error}")),
        }
    }

    /// Tells what is wrong, once.
    fn complain(&mut self, path: &Path, error: &anyhow::Error) {
        let Some(func) = self.funcs.get_mut(path) else { return };
        let text = trouble::chain(error);
        if func.complaint.as_ref() != Some(&text) {
            let state = if func.serving.is_some() {
                "not reloaded, the last good version serves"
            } else {
                "not served"
            };
            output::remark(format!("{}  {state}: {text}", func.name));
            func.complaint = Some(text);
        }
    }
}

impl Serving {
    fn of(bundle: Arc<BundleInfo>) -> Self {
        Self { route: RouteId::of(&Namespace::default(), &bundle.host, &bundle.base_path), bundle }
    }

    /// Host, unless it is any, and base path.
    pub(super) fn place(&self) -> String {
        let host = if self.bundle.host == "*" { "" } else { &self.bundle.host };
        format!("{host}{}", self.bundle.base_path)
    }

    fn request(&self) -> DeployRequest {
        DeployRequest {
            sha: self.bundle.sha.clone(),
            host: None,
            base_path: None,
            props: None,
            outbound: None,
            weight: None,
            // The folder may have got another title; claims between folders are settled here.
            trial: None,
            replace: true,
        }
    }
}

async fn upload(handle: Handle, source: Source) -> (PathBuf, Result<Arc<BundleInfo>>) {
    let uploaded = match source.zip {
        Ok(zip) => handle.upload(zip).await.map(|uploaded| uploaded.bundle).map_err(explained),
        Err(error) => Err(error),
    };
    (source.path, uploaded)
}

async fn deploy(handle: Handle, accepted: Accepted) -> (Accepted, Result<()>) {
    let deployed = match handle.deploy(&accepted.serving.request(), BY).await {
        Ok(deployed) => {
            deployed.failure.map_or(Ok(()), |failure| Err(anyhow!("it cannot be loaded: {failure}")))
        }
        Err(rejection) => Err(explained(rejection)),
    };
    (accepted, deployed)
}

fn explained(rejection: Rejection) -> anyhow::Error {
    match rejection.faults() {
        [] => anyhow!(rejection),
        faults => Faulty { faults: faults.to_vec() }.into(),
    }
}
