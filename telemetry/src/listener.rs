//! `Metrics`: what a process tells of itself, and the small server that hands it out.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wire::http::{Handler, Limits, Request, Response, ResponseBody, problem, request_id, serve};
use wire::{Component, Problem, ProblemKind};

use crate::{Format, Page};

/// Where metrics are asked for.
pub const PATH: &str = "/metrics";

/// Scrapers and some people; not the public.
const CONNECTIONS_MAX: usize = 16;

/// A page takes milliseconds; nobody is to hold up the end of a process over it.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// What has something to tell.
#[async_trait]
pub trait Source: Send + Sync {
    /// Writes it down.
    async fn tell(&self, page: &mut Page);
}

/// What a process tells of itself. Cheap to clone.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Mutex<Vec<Arc<dyn Source>>>>);

impl Metrics {
    /// Tells what this one does as well, from now on.
    pub fn add(&self, source: Arc<dyn Source>) {
        self.sources().push(source);
    }

    /// The page, in the format that whoever asks takes.
    pub async fn respond(&self, headers: &HeaderMap) -> Response {
        let format = Format::accepted(headers.get(ACCEPT).and_then(|value| value.to_str().ok()));
        let mut page = Page::default();
        let sources = self.sources().clone();
        for source in sources {
            source.tell(&mut page).await;
        }
        let mut response = Response::new(ResponseBody::full(Bytes::from(page.render(format))));
        let content_type = HeaderValue::from_static(format.content_type());
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Hands it out to whoever asks, until shutdown.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        let limits = Limits {
            connections_max: CONNECTIONS_MAX,
            drain_timeout: DRAIN_TIMEOUT,
            body_bytes_max: 0,
            ..Limits::default()
        };
        serve(listener, limits, self, shutdown).await;
    }

    fn sources(&self) -> MutexGuard<'_, Vec<Arc<dyn Source>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler for Metrics {
    const COMPONENT: Component = Component::Admin;

    async fn handle(&self, request: Request, _client: SocketAddr) -> Response {
        let refuse = |kind, detail: &str| {
            problem(&Problem::new(kind, detail, request_id(request.headers()), Self::COMPONENT))
        };
        match (request.uri().path(), request.method()) {
            (PATH, &Method::GET | &Method::HEAD) => self.respond(request.headers()).await,
            (PATH, _) => refuse(ProblemKind::MethodNotAllowed, "metrics are for reading"),
            _ => refuse(ProblemKind::NotFound, "there is nothing here but /metrics"),
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metrics").field(&self.sources().len()).finish()
    }
}
