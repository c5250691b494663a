//! `Client`: sends a request once, over one of the frontends, and says what was heard.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::Value;
use tokio::time::timeout;
use uuid::Uuid;

use super::clock::Clock;
use super::connections::{Connections, Sent, chain};
use super::ledger::{Answered, Operation, Outcome};

pub(crate) struct Client {
    frontends: Vec<Connections>,
    clock: Clock,
    /// How long an answer is waited for.
    patience: Duration,
}

/// A request as it is to be sent.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) id: Uuid,
    pub(crate) base_path: &'static str,
    pub(crate) operation: Operation,
    pub(crate) asynchronous: bool,
    /// The frontend that it goes to if that takes connections.
    pub(crate) frontend: usize,
}

impl Client {
    pub(crate) fn new(frontends: &[SocketAddr], clock: Clock, patience: Duration) -> Self {
        let frontends = frontends.iter().copied().map(Connections::new).collect();
        Self { frontends, clock, patience }
    }

    /// Sends the request; the frontend that it went to, and what came of it. As a load balancer would, it
    /// goes to the next frontend if it could not be sent to the first, and never if it may have been.
    pub(crate) async fn send(&self, planned: &Planned) -> (usize, Outcome) {
        let count = self.frontends.len();
        for frontend in (0..count).map(|step| (planned.frontend + step) % count) {
            let connections = &self.frontends[frontend];
            let request = request(planned, connections.address);
            match timeout(self.patience, self.exchange(connections, request)).await {
                Ok(Some(outcome)) => return (frontend, outcome),
                Ok(None) => {}
                Err(_elapsed) => return (frontend, Outcome::Silent),
            }
        }
        (planned.frontend, Outcome::Refused)
    }

    /// Asks what became of a call.
    pub(crate) async fn status(&self, location: &str) -> Option<String> {
        for connections in &self.frontends {
            let request = Request::get(location).header("host", connections.address.to_string());
            let sent = connections.send(request.body(Full::default()).ok()?);
            if let Ok(Sent::Answered(response, _)) = timeout(self.patience, sent).await {
                let body = response.into_body().collect().await.ok()?.to_bytes();
                let body: Value = serde_json::from_slice(&body).ok()?;
                return body["status"].as_str().map(str::to_owned);
            }
        }
        None
    }

    async fn exchange(&self, connections: &Connections, request: Request<Full<Bytes>>) -> Option<Outcome> {
        match connections.send(request).await {
            Sent::Unsent => None,
            Sent::Broken(why) => Some(Outcome::Cut { at: self.clock.now(), why }),
            Sent::Answered(response, connection) => {
                let outcome = self.read(response).await;
                if matches!(outcome, Outcome::Answered(_)) {
                    connections.give_back(connection);
                }
                Some(outcome)
            }
        }
    }

    async fn read(&self, response: Response<Incoming>) -> Outcome {
        let (head, body) = response.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return Outcome::Cut { at: self.clock.now(), why: chain(&error) },
        };
        let header = |name| head.headers.get(name)?.to_str().ok().map(str::to_owned);
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let named = body["request_id"].as_str().or(body["id"].as_str()).map(str::to_owned);
        let named = named.or_else(|| header("x-request-id"));
        Outcome::Answered(Answered {
            at: self.clock.now(),
            status: head.status.as_u16(),
            id: named.and_then(|id| id.parse().ok()),
            problem: body["detail"].as_str().map(str::to_owned),
            location: header("location"),
        })
    }
}

fn request(planned: &Planned, address: SocketAddr) -> Request<Full<Bytes>> {
    let Planned { id, base_path, operation, asynchronous, .. } = planned;
    let mut request = Request::builder()
        .method(operation.method())
        .uri(format!("{base_path}{}", operation.path(*id)))
        .header("host", address.to_string())
        .header("x-request-id", id.to_string());
    if *asynchronous {
        request = request.header("prefer", "respond-async");
    }
    request.body(Full::default()).unwrap()
}
