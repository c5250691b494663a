//! `Site`: whoever listens at a URL answers captured calls again, over plain HTTP.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use compare::Noise;
use swagger::{BasePath, Document};
use ureq::Agent;
use ureq::http::Request;
use wire::capture::{CaptureEntry, REDACTED};
use wire::{Answer, Body, BundleSha, Version};

use super::local::Scene;
use super::outcome::Judged;
use super::target::Played;
use crate::server::{agent, read};

/// Longer than any deadline that the platform sets on its own.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Names what a call is a replay of, so that whoever answers can tell.
const MARK: &str = "x-funcatron-replay";
/// What belongs to the connection that a request came by, and not to the request.
const OF_CONNECTIONS: [&str; 9] = [
    // What we understand ourselves is said for us.
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];
/// Says nothing about any answer.
const NO_DOCUMENT: &[u8] = br#"{"openapi":"3.1.0","info":{"title":"","version":""},"paths":{}}"#;

/// Whoever listens at a URL.
pub(crate) struct Site {
    agent: Agent,
    /// Without a slash at its end.
    url: String,
    /// Whether the URL has a path of its own, in place of the base path of the capture.
    is_based: bool,
    base_path: BasePath,
    /// What bundles say that answered before, as far as it is known.
    documents: Documents,
    no_document: Document,
    outside: bool,
}

/// The documents of bundles.
pub(crate) type Documents = HashMap<BundleSha, Arc<Document>>;

impl Site {
    pub(crate) fn new(url: &str, scene: &Scene, documents: Documents) -> Result<Self> {
        let is_based =
            url.split_once("://").is_some_and(|(_, rest)| rest.trim_end_matches('/').contains('/'));
        Ok(Self {
            agent: agent(),
            url: url.trim_end_matches('/').to_owned(),
            is_based,
            base_path: scene.base_path.clone(),
            documents,
            no_document: Document::parse(NO_DOCUMENT)?,
            outside: scene.outside,
        })
    }

    pub(crate) fn passes_over(&self, entry: &CaptureEntry) -> Option<&'static str> {
        let changes_nothing = matches!(&*entry.invoke.method, "GET" | "HEAD" | "OPTIONS");
        (!changes_nothing && !self.outside).then_some("it may change something; --outside lets it")
    }

    pub(crate) async fn play(&self, entry: &CaptureEntry) -> Result<Played> {
        let request = self.request(entry)?;
        let agent = self.agent.clone();
        let asked = move || {
            let request = agent.configure_request(request).timeout_global(Some(TIMEOUT)).build();
            agent.run(request)
        };
        let response = tokio::task::spawn_blocking(asked).await?.context("no answer")?;
        let status = response.status().as_u16();
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = tokio::task::block_in_place(|| read(response))?;
        let recorded = &entry.answer;
        let answer = Answer {
            v: Version,
            id: recorded.id.clone(),
            activation: recorded.activation,
            attempt: recorded.attempt,
            bundle: None,
            status,
            headers,
            body: Body::from(body),
            part: 0,
            more: false,
        };
        Ok(Played { answer, ran: None })
    }

    /// The request, without what was taken out of it: no credentials are better than wrong ones.
    fn request(&self, entry: &CaptureEntry) -> Result<Request<Vec<u8>>> {
        let invoke = &entry.invoke;
        let path = if self.is_based { self.base_path.strip(&invoke.path) } else { None };
        let mark = if invoke.query.is_empty() { "" } else { "?" };
        let url = format!("{}{}{mark}{}", self.url, path.unwrap_or(&invoke.path), invoke.query);
        let mut request = Request::builder().method(invoke.method.as_str()).uri(url);
        let own = [("x-request-id", invoke.id.to_string()), (MARK, invoke.activation.to_string())];
        for (name, value) in own {
            request = request.header(name, value);
        }
        let sent = invoke.headers.iter().filter(|(name, value)| {
            !value.contains(REDACTED) && name != "x-request-id" && !OF_CONNECTIONS.contains(&name.as_str())
        });
        for (name, value) in sent {
            request = request.header(name, value);
        }
        let body = match &invoke.body {
            Body::Inline(bytes) => bytes.clone(),
            Body::Stored(_) => Bytes::new(),
        };
        Ok(request.body(body.to_vec())?)
    }

    /// Takes out what is secret in every API, and what the document says.
    pub(crate) fn redact(&self, entry: &mut CaptureEntry) {
        runner::redact(entry, self.document(&entry.activation.bundle), &self.base_path);
    }

    pub(crate) fn judge(&self, entry: &CaptureEntry, played: &Played, noise: &Noise) -> Judged {
        let document = self.document(&entry.activation.bundle);
        Judged::of(document, &self.base_path, entry, &played.answer, noise)
    }

    /// Whether it is known of all these bundles what their documents say.
    pub(crate) fn knows(&self, bundles: &[BundleSha]) -> bool {
        bundles.iter().all(|sha| self.documents.contains_key(sha))
    }

    fn document(&self, sha: &BundleSha) -> &Document {
        self.documents.get(sha).map_or(&self.no_document, |known| known)
    }
}
