//! The admin API: `openapi.yaml` is the law, and `swagger` enforces it.

mod calls;
mod console;
mod refused;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use swagger::Document;
use telemetry::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::http::{BodyReader, Handler, Limits, Request, Response};
use wire::{Component, RequestId};

use crate::{Error, Handle, Place, Token};
use console::Console;
use refused::Refused;

/// What the API is, for us as for its clients.
const DOCUMENT: &[u8] = include_bytes!("../openapi.yaml");

/// Below which the operations lie.
const BASE_PATH: &str = "/api/v1";

/// Below it, what members keep in the store through us.
const OBJECTS: &str = "/objects/";

/// What is asked for again and again, for as long as somebody watches.
const WATCHED: [&str; 7] =
    ["/stats", "/routes", "/members", "/activations", "/dead-letters", "/levels", "/captures"];

/// What takes files that are read as they come.
const IMPORT: &str = "/captures/import";

/// What may be asked without the token: it says nothing about what is deployed.
const OPEN: [&str; 2] = ["/health", "/openapi.json"];

/// Operators, their tools and some that follow; not the public.
const CONNECTIONS_MAX: usize = 256;

/// Settings and requests of operators; only bundles, and calls that they make, are larger.
const BODY_BYTES_MAX: u64 = 1024 * 1024;

/// A file of captured calls: as much as a capture may have, and bodies of some megabytes each in it.
const IMPORT_BYTES_MAX: u64 = 8 << 30;

/// The admin API. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    handle: Handle,
    token: Token,
    console: Console,
    document: Arc<Document>,
    /// The document as it is handed out.
    document_json: Bytes,
    metrics: Metrics,
    limits: Limits,
    bundle_limits: Limits,
    streams: TaskTracker,
    stop: CancellationToken,
}

impl Api {
    pub(crate) fn new(
        handle: Handle,
        token: Token,
        bundle_bytes_max: u64,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        let document = Document::parse(DOCUMENT)?;
        let limits =
            Limits { connections_max: CONNECTIONS_MAX, body_bytes_max: BODY_BYTES_MAX, ..Limits::default() };
        Ok(Self {
            handle,
            token,
            console: Console::new(),
            document_json: document.json().to_string().into(),
            document: Arc::new(document),
            metrics,
            bundle_limits: Limits { body_bytes_max: bundle_bytes_max, ..limits.clone() },
            limits,
            streams: TaskTracker::new(),
            stop,
        })
    }

    /// Serves until Tron stops, then ends what is followed.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let (streams, stop) = (self.streams.clone(), self.stop.clone());
        // A server waits for its uploads; what they may be is set per call.
        let limits = self.bundle_limits.clone();
        wire::http::serve(listener, limits, self, stop).await;
        streams.close();
        streams.wait().await;
    }

    async fn respond(&self, request: Request, id: &RequestId) -> Result<Response, Refused> {
        let (head, body) = request.into_parts();
        if let Some(answered) = self.console.respond(&head) {
            return answered;
        }
        if is_of_metrics(&head) {
            // Their labels say what is deployed.
            return match self.is_authorized(&head) {
                true => Ok(self.metrics.respond(&head.headers).await),
                false => Err(Refused::unauthorized()),
            };
        }
        let path = path_below_base(&head)?;
        if !OPEN.contains(&path) && !self.is_authorized(&head) {
            return Err(Refused::unauthorized());
        }
        let headers = headers(&head);
        let request = |body| swagger::Request {
            method: head.method.as_str(),
            path,
            query: head.uri.query().unwrap_or_default(),
            headers: &headers,
            body,
        };
        if path == IMPORT && head.method == Method::POST {
            let checked = self.document.check(&request(swagger::Payload::Unread))?;
            tracing::info!(request_id = %id, operation = checked.operation.id(), "admin");
            let limits = Limits { body_bytes_max: IMPORT_BYTES_MAX, ..self.limits.clone() };
            return self.import(BodyReader::new(body, &limits)?).await;
        }
        // Before it is read: it may be long.
        let place = if is_call(path) { Some(self.place(&head).await?) } else { None };
        let is_long = path == "/bundles" || place.is_some();
        let limits = if is_long { &self.bundle_limits } else { &self.limits };
        let body = wire::http::read_body(body, limits).await?;
        let checked = self.document.check(&request(swagger::Payload::Whole(&body)))?;
        let operation = checked.operation.id();
        // Members ask for objects with every call, and who watches asks each second; what an operator does is
        // worth a line.
        let is_watched =
            head.method == Method::GET && WATCHED.iter().any(|watched| path.starts_with(watched));
        if path.starts_with(OBJECTS) || is_watched {
            tracing::debug!(request_id = %id, operation, "admin");
        } else {
            tracing::info!(request_id = %id, operation, "admin");
        }
        match place {
            // Boxed: what a call holds would otherwise be in every request's task.
            Some(place) => Box::pin(self.call_route(&checked, &body, place)).await,
            None => self.call(&checked, body).await,
        }
    }

    /// Room for a call whose request is still to be read.
    async fn place(&self, head: &Parts) -> Result<Place, Refused> {
        let mut place = self.handle.place()?;
        let length = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_none_or(|bytes: u64| bytes > BODY_BYTES_MAX) {
            place.lengthen().await;
        }
        Ok(place)
    }

    fn is_authorized(&self, head: &Parts) -> bool {
        let credentials = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = credentials.and_then(|text| text.split_once(' '));
        token.is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && self.token.matches(token.trim_start())
        })
    }
}

impl Handler for Api {
    const COMPONENT: Component = Component::Admin;

    async fn handle(&self, request: Request, _client: SocketAddr) -> Response {
        let id = wire::http::request_id(request.headers());
        // Boxed: what an upload holds would otherwise be in every connection's task.
        let mut response = match Box::pin(self.respond(request, &id)).await {
            Ok(mut response) => {
                if let Ok(id) = id.as_str().parse() {
                    response.headers_mut().insert(wire::http::X_REQUEST_ID, id);
                }
                response
            }
            Err(refused) => wire::http::problem(&refused.into_problem(id)),
        };
        guard(response.headers_mut());
        response
    }
}

/// Has browsers keep nothing of what was answered, and take it for nothing but what it says it is. The console has said
/// what may be kept of it.
fn guard(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Whether it is a call of a route, whose body may be as long as that of any other.
fn is_call(path: &str) -> bool {
    path.strip_prefix("/routes/").is_some_and(|rest| rest.ends_with("/calls"))
}

/// They lie where everybody looks for them, beside the API.
fn is_of_metrics(head: &Parts) -> bool {
    head.uri.path() == telemetry::PATH && [Method::GET, Method::HEAD].contains(&head.method)
}

fn path_below_base(head: &Parts) -> Result<&str, Refused> {
    let path = head.uri.path().strip_prefix(BASE_PATH).filter(|path| path.starts_with('/'));
    path.ok_or_else(|| Refused::not_found("the admin API is below /api/v1"))
}

fn headers(head: &Parts) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
