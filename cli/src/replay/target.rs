//! `Target`: who answers captured calls again.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use compare::Noise;
use swagger::Document;
use wire::admin::{BundleInfo, RouteInfo};
use wire::capture::{CaptureEntry, Drawn};
use wire::{Activation, Answer, Bundle, BundleSha};

use super::cluster::Cluster;
use super::local::{Local, Scene};
use super::outcome::Judged;
use super::site::{Documents, Site};
use crate::connection::Given;
use crate::server::Server;
use crate::{connection, folder, output, selection};

/// Who answers captured calls again.
pub(crate) enum Target {
    /// Bundles in this process.
    Local(Local),
    /// Runners of a cluster.
    Cluster(Cluster),
    /// Whoever listens there.
    Site(Site),
}

/// What a call came to this time.
pub(crate) struct Played {
    pub(crate) answer: Answer,
    /// The record, and what the Func drew, if it ran in this process.
    pub(crate) ran: Option<(Activation, Drawn)>,
}

impl Target {
    /// Why the call is not run again, if it is not.
    pub(crate) fn passes_over(&self, entry: &CaptureEntry) -> Option<&'static str> {
        match self {
            Self::Site(site) => site.passes_over(entry),
            Self::Local(_) | Self::Cluster(_) => None,
        }
    }

    pub(crate) async fn play(&self, entry: &CaptureEntry) -> Result<Played> {
        match self {
            Self::Local(local) => local.play(entry).await,
            Self::Cluster(cluster) => cluster.play(entry).await,
            Self::Site(site) => site.play(entry).await,
        }
    }

    /// How the answer compares to the one before, but for what differs anyway.
    pub(crate) fn judge(&self, entry: &CaptureEntry, played: &Played, noise: &Noise) -> Result<Judged> {
        match self {
            Self::Local(local) => local.judge(entry, played, noise),
            Self::Cluster(cluster) => cluster.judge(entry, played, noise),
            Self::Site(site) => Ok(site.judge(entry, played, noise)),
        }
    }

    /// Whether it is known what the documents of these bundles say, or of those that answer in their place.
    pub(crate) fn is_described(&self, bundles: &[BundleSha]) -> bool {
        match self {
            Self::Site(site) => site.knows(bundles),
            Self::Local(_) | Self::Cluster(_) => true,
        }
    }

    /// Takes out of a call that was answered here what is secret, as its runner would have done.
    pub(crate) fn redact(&self, entry: &mut CaptureEntry) -> Result<()> {
        match self {
            Self::Local(local) => local.redact(entry),
            Self::Cluster(cluster) => cluster.redact(entry),
            Self::Site(site) => {
                site.redact(entry);
                Ok(())
            }
        }
    }
}

/// Where targets are found.
pub(crate) struct Servers<'s> {
    pub(crate) given: &'s Given,
    pub(crate) scene: &'s Scene,
    /// The bundles that answered.
    pub(crate) bundles: &'s [BundleSha],
    /// The bundle that stands for them.
    pub(crate) noise_from: Option<&'s str>,
}

impl Servers<'_> {
    /// The target that a person means.
    pub(crate) async fn target(&self, text: &str) -> Result<Target> {
        if text.contains("://") {
            let url = connection::url(text).map_err(anyhow::Error::msg)?;
            return Ok(Target::Site(Site::new(&url, self.scene, self.documents()?)?));
        }
        if is_here(text)? {
            self.check_new_props()?;
            return Ok(Target::Local(self.open(text).await?));
        }
        let server = Server::choose(self.given)?;
        let routes: Vec<RouteInfo> = server.get("/routes").context("--against is no file here")?;
        if let Ok(route) = selection::route(&routes, text) {
            return Ok(Target::Cluster(Cluster::new(server, route.clone(), None, self.scene)));
        }
        let sha = bundle(&server, text)?;
        let captured = routes.into_iter().find(|route| route.id == *self.scene.route());
        match captured.filter(|route| route.bundles.iter().any(|bundle| bundle.sha == sha)) {
            Some(route) => Ok(Target::Cluster(Cluster::new(server, route, Some(sha), self.scene))),
            None => {
                self.check_props()?;
                Ok(Target::Local(Local::one(self.scene, fetch(&server, &sha)?).await?))
            }
        }
    }

    /// The bundles that answered, to learn from them what differs anyway, if they can be had. Without its props a
    /// Func comes to something else, from which nothing is to be learned.
    pub(crate) async fn old(&self) -> Option<Local> {
        // Whoever asked for no server need not have one.
        Server::choose(self.given).ok()?;
        if let Err(lacking) = self.check_props() {
            output::remark(format!("what differs anyway is not known: {lacking}"));
            return None;
        }
        self.answered().await.ok()
    }

    /// Whether all props of the captured route are given here, as far as a server tells which it has.
    ///
    /// # Errors
    /// When one is lacking: without it a Func comes to something else, and what props are no server tells.
    pub(crate) fn check_props(&self) -> Result<()> {
        let routes = Server::choose(self.given).and_then(|server| server.get::<Vec<RouteInfo>>("/routes"));
        let captured = routes.unwrap_or_default().into_iter().find(|route| route.id == *self.scene.route());
        let lacking = self.scene.lacking(captured.map(|route| route.props).unwrap_or_default());
        if !lacking.is_empty() {
            bail!(
                "the route has props that are needed to run its calls here and that no server tells; give them \
                 with -p or --props: {}",
                lacking.join(", ")
            );
        }
        Ok(())
    }

    /// The same for what is to be deployed: if any props are given, those are all that it will have.
    ///
    /// # Errors
    /// As [`Self::check_props`].
    pub(crate) fn check_new_props(&self) -> Result<()> {
        if self.scene.has_props() { Ok(()) } else { self.check_props() }
    }

    /// A bundle in this process that answered these calls, or one like it.
    pub(crate) async fn local(&self, text: &str) -> Result<Local> {
        self.check_props()?;
        self.open(text).await
    }

    async fn open(&self, text: &str) -> Result<Local> {
        Local::one(self.scene, self.zip(text)?).await.with_context(|| text.to_owned())
    }

    fn zip(&self, text: &str) -> Result<Bytes> {
        if is_here(text)? {
            return folder::bundle(Path::new(text));
        }
        let server = Server::choose(self.given)?;
        fetch(&server, &bundle(&server, text)?)
    }

    /// What is known of the answers of the bundles that answered.
    fn documents(&self) -> Result<Documents> {
        if let Some(text) = self.noise_from {
            let bundle = Bundle::open(&self.zip(text)?)?;
            let document = Arc::new(Document::parse(&bundle.document)?);
            return Ok(self.bundles.iter().map(|sha| (sha.clone(), Arc::clone(&document))).collect());
        }
        // Whoever asks a site need not have a server.
        let Ok(server) = Server::choose(self.given) else { return Ok(Documents::new()) };
        let known = |sha: &BundleSha| Some((sha.clone(), Arc::new(document(&server, sha).ok()?)));
        Ok(self.bundles.iter().filter_map(known).collect())
    }

    /// The bundles that answered in this process, each for what it answered before.
    pub(crate) async fn answered(&self) -> Result<Local> {
        self.check_props()?;
        let server = Server::choose(self.given)?;
        let zips: Result<Vec<_>> =
            self.bundles.iter().map(|sha| Ok((sha.clone(), fetch(&server, sha)?))).collect();
        let zips = zips.context("fetch what has answered these calls; --against names another bundle")?;
        Local::each(self.scene, zips).await
    }
}

/// Whether a folder or file here is meant. What begins with a dot can be nothing else.
fn is_here(text: &str) -> Result<bool> {
    let is_there = Path::new(text).exists();
    ensure!(is_there || !text.starts_with('.'), "there is no folder or file {text}");
    Ok(is_there)
}

fn bundle(server: &Server, text: &str) -> Result<BundleSha> {
    let bundles: Vec<BundleInfo> = server.get("/bundles")?;
    match selection::bundle(&bundles, text) {
        Some(bundle) => Ok(bundle.sha.clone()),
        None => bail!(
            "{text} is no folder or file here, no route, and not the beginning of just one bundle's SHA-256"
        ),
    }
}

/// The document of a bundle.
pub(crate) fn document(server: &Server, sha: &BundleSha) -> Result<Document> {
    let json = server.bytes(&format!("/bundles/{sha}/document"))?;
    Document::parse(&json).with_context(|| format!("bundle {}", sha.short()))
}

fn fetch(server: &Server, sha: &BundleSha) -> Result<Bytes> {
    Ok(server.bytes(&format!("/bundles/{sha}/content"))?.into())
}
