//! `Target`: who answers captured calls again.

use std::path::Path;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use wire::admin::{BundleInfo, RouteInfo};
use wire::capture::{CaptureEntry, Drawn};
use wire::{Activation, Answer, BundleSha};

use super::cluster::Cluster;
use super::local::{Local, Scene};
use super::outcome::Judged;
use super::site::Site;
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

    pub(crate) fn judge(&self, entry: &CaptureEntry, played: &Played) -> Result<Judged> {
        match self {
            Self::Local(local) => local.judge(entry, played),
            Self::Cluster(cluster) => cluster.judge(entry, played),
            Self::Site(site) => Ok(site.judge(entry, played)),
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
}

impl Servers<'_> {
    /// The target that a person means.
    pub(crate) async fn target(&self, text: &str) -> Result<Target> {
        if text.contains("://") {
            let url = connection::url(text).map_err(anyhow::Error::msg)?;
            return Ok(Target::Site(Site::new(&url, self.scene)?));
        }
        if Path::new(text).exists() {
            return Ok(Target::Local(self.local(text).await?));
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
            None => Ok(Target::Local(Local::one(self.scene, fetch(&server, &sha)?).await?)),
        }
    }

    /// The bundles that answered, to learn from them what differs anyway, if they can be had. Without its props a
    /// Func comes to something else, from which nothing is to be learned.
    pub(crate) async fn old(&self, shas: &[BundleSha]) -> Option<Local> {
        // Whoever asked for no server need not have one.
        let routes: Vec<RouteInfo> = Server::choose(self.given).ok()?.get("/routes").ok()?;
        let captured = routes.into_iter().find(|route| route.id == *self.scene.route());
        let lacking = self.scene.lacking(captured.map(|route| route.props).unwrap_or_default());
        if !lacking.is_empty() {
            output::remark(format!(
                "the route has props that are not given here, with -p or --props: {}",
                lacking.join(", ")
            ));
            return None;
        }
        self.bundles(shas).await.ok()
    }

    /// A bundle in this process.
    pub(crate) async fn local(&self, text: &str) -> Result<Local> {
        let path = Path::new(text);
        let zip = if path.exists() {
            folder::bundle(path)?
        } else {
            let server = Server::choose(self.given)?;
            let sha = bundle(&server, text)?;
            fetch(&server, &sha)?
        };
        Local::one(self.scene, zip).await.with_context(|| text.to_owned())
    }

    /// These bundles in this process, each for what it answered before.
    pub(crate) async fn bundles(&self, shas: &[BundleSha]) -> Result<Local> {
        let server = Server::choose(self.given)?;
        let zips: Result<Vec<_>> = shas.iter().map(|sha| Ok((sha.clone(), fetch(&server, sha)?))).collect();
        let zips = zips.context("fetch what has answered these calls; --against names another bundle")?;
        Local::each(self.scene, zips).await
    }
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

pub(crate) fn fetch(server: &Server, sha: &BundleSha) -> Result<Bytes> {
    Ok(server.bytes(&format!("/bundles/{sha}/content"))?.into())
}
