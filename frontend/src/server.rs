//! The frontend itself: every request ends here as exactly one response.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use telemetry::{TRACEPARENT, TRACESTATE};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use wire::broker::{self, Broker, requests_queue};
use wire::http::{BodyReader, Handler, Request, Response, X_REQUEST_ID, problem, request_id, serve};
use wire::replies::{self, InFlight, Replies};
use wire::{
    ActivationId, Answer, Body, Chain, Component, Invoke, Problem, ProblemKind, RequestId, Store, Timestamp,
    Version,
};

use crate::access_log::AccessLog;
use crate::answer::{NotHttp, into_response, stored};
use crate::bodies::{self, Bodies};
use crate::call::{self, Calls};
use crate::forwarded::Client;
use crate::gate::{self, Clean};
use crate::health::{self, Health};
use crate::promises::{self, Inquiry, Promises, Told};
use crate::root::Root;
use crate::routes::Routes;
use crate::{Config, Dispatch};

/// Seconds that a client should wait when we can take nothing: queues drain within one.
const RETRY_AFTER: &str = "1";

/// Between two looks for queues that somebody else declares: he does so when he starts.
const QUEUES_PAUSE: Duration = Duration::from_secs(1);

/// Why a frontend cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its queues cannot be had.
    #[error("set up the frontend's queues")]
    Queues(#[from] broker::Error),
}

/// Serves until `shutdown`, then drains.
///
/// # Errors
/// When the broker does not give it its queues.
pub async fn run(
    config: Config,
    listener: TcpListener,
    broker: Arc<dyn Broker>,
    store: Store,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let reply_to = replies::queue_name(&config.member);
    let in_flight = InFlight::new(config.in_flight_max);
    config.metrics.watch(in_flight.clone());
    let opened = open_queues(&broker, &reply_to, &in_flight);
    let Some(replies) = shutdown.run_until_cancelled(opened).await.transpose()? else { return Ok(()) };
    info!(queue = %reply_to, "frontend serves");

    let limits = config.limits.clone();
    let wait_max = config.call_timeout + config.answer_grace;
    let (routes, table) = Routes::new(broker.clone(), config.member.clone());
    let table = (config.dispatch == Dispatch::Direct).then_some(table);
    let calls = Calls { broker: broker.clone(), table, in_flight: in_flight.clone(), wait_max };
    let bodies = Bodies::new(&config, store.clone());
    let promises = promises(&config, store);
    let frontend = Frontend(Arc::new(Inner { config, calls, promises, bodies, reply_to: reply_to.clone() }));
    tokio::select! {
        () = serve(listener, limits, frontend, shutdown) => {}
        never = replies.run() => match never {},
        never = routes.run() => match never {},
    }

    info!(queue = %reply_to, in_flight = in_flight.len(), "frontend drained");
    // It ends with its connection; what matters is over.
    if let Err(error) = broker.delete(&reply_to).await {
        debug!(queue = %reply_to, error = %Chain(&error), "reply queue not deleted");
    }
    Ok(())
}

/// Waits for the queues: whoever may not declare those that all share is there before them at times.
async fn open_queues(
    broker: &Arc<dyn Broker>,
    reply_to: &str,
    in_flight: &InFlight,
) -> Result<Replies, broker::Error> {
    loop {
        match declare_queues(&**broker).await {
            Ok(()) => return Replies::open(broker.clone(), reply_to.to_owned(), in_flight.clone()).await,
            Err(error @ (broker::Error::Unroutable(_) | broker::Error::Unavailable)) => {
                info!(error = %Chain(&error), "waiting for the queues");
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(QUEUES_PAUSE).await;
    }
}

async fn declare_queues(broker: &dyn Broker) -> Result<(), broker::Error> {
    broker.declare(&requests_queue()).await
}

fn promises(config: &Config, store: Store) -> Promises {
    let Config { namespace, callbacks, calls_ttl: ttl, .. } = config.clone();
    Promises { store, namespace, callbacks, ttl }
}

#[derive(Clone)]
struct Frontend(Arc<Inner>);

struct Inner {
    config: Config,
    calls: Calls,
    promises: Promises,
    bodies: Bodies,
    reply_to: String,
}

/// Why a request is answered by the frontend itself.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Gate(#[from] gate::Refusal),
    #[error(transparent)]
    Body(#[from] bodies::Error),
    #[error(transparent)]
    Call(#[from] call::Error),
    #[error(transparent)]
    Answer(#[from] NotHttp),
    #[error("write a response")]
    Response(#[from] http::Error),
    #[error(transparent)]
    Promise(#[from] promises::Error),
}

impl Handler for Frontend {
    const COMPONENT: Component = Component::Frontend;

    async fn handle(&self, request: Request, client: SocketAddr) -> Response {
        let id = request_id(request.headers());
        let access_log = AccessLog::begin(&request);
        let config = &self.0.config;
        let answering = config.metrics.begin(request.method());
        let root = Root::begin(config, request.method(), request.uri().path(), request.headers());
        let mut response = match self.0.respond(request, client, &id, &root).await {
            Ok(response) => response,
            Err(refusal) => {
                config.metrics.refuse(refusal.kind());
                refuse(&refusal, &id)
            }
        };
        if let Ok(id) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        access_log.end(&id, &response);
        answering.end(response.status(), root.traced());
        root.end(response.status(), &id);
        response
    }
}

impl Inner {
    async fn respond(
        &self,
        request: Request,
        peer: SocketAddr,
        id: &RequestId,
        root: &Root,
    ) -> Result<Response, Refusal> {
        let (head, body) = request.into_parts();
        if head.uri.path() == health::PATH {
            return Ok(self.health().respond()?);
        }
        let client = Client::of(peer, &head.headers, self.config.trusts_forwarded);
        let clean =
            gate::check(&head.method, &head.uri, &head.headers, client, self.config.trusts_forwarded)?;
        if let Some(inquiry) = Inquiry::read(&head.method, &clean.path).map_err(promises::Error::from)? {
            return match self.promises.tell(inquiry).await? {
                Told::Status(response) => Ok(response),
                Told::Result(answer) => self.give(&head.method, *answer, id).await,
            };
        }
        let promise = self.promises.asked(&clean.headers)?;
        let body = BodyReader::new(body, &self.config.limits).map_err(bodies::Error::from)?;
        let body = self.bodies.take(body).await?;
        let invoke = self.invoke(id, &head.method, client, clean, body, root);
        if let Some(promise) = promise {
            return Ok(Box::pin(self.promises.accept(&self.calls, invoke, promise)).await?);
        }
        let answer = self.calls.call(&invoke).await?;
        self.give(&head.method, answer, id).await
    }

    /// The response to a request of this method that an answer asks for, its body included.
    async fn give(&self, method: &http::Method, answer: Answer, id: &RequestId) -> Result<Response, Refusal> {
        let body = match stored(method, &answer) {
            Some(stored) => Some(Box::pin(self.bodies.give(stored, id)).await?),
            None => None,
        };
        let mut response = into_response(method, answer)?;
        if let Some(body) = body {
            *response.body_mut() = body;
        }
        Ok(response)
    }

    fn health(&self) -> Health<'_> {
        Health { member: &self.config.member, in_flight: self.calls.in_flight.len() }
    }

    fn invoke(
        &self,
        id: &RequestId,
        method: &http::Method,
        client: Client,
        clean: Clean,
        body: Body,
        root: &Root,
    ) -> Invoke {
        let at = Timestamp::now();
        let Clean { host, path, query, mut headers } = clean;
        if root.onward.is_none() {
            // What is no context is not passed on as one.
            headers.retain(|(name, _)| name != TRACEPARENT && name != TRACESTATE);
        }
        Invoke {
            v: Version,
            id: id.clone(),
            activation: ActivationId::generate(),
            namespace: self.config.namespace.clone(),
            at,
            deadline: at.after(self.config.call_timeout),
            attempt: 1,
            retry: 0,
            reply_to: Some(self.reply_to.clone()),
            asynchronous: false,
            queue: None,
            bundle: None,
            replay: None,
            method: method.as_str().to_owned(),
            scheme: client.scheme().to_owned(),
            host,
            path,
            query,
            traceparent: root.onward.map(|context| context.to_string()),
            sent_us: root.traced().map(|_| telemetry::now() / 1000),
            headers,
            client: Some(client.address.to_string()),
            body,
        }
    }
}

/// The one place where a client is told why. Details of our own stay in the log.
fn refuse(refusal: &Refusal, id: &RequestId) -> Response {
    let kind = refusal.kind();
    if kind.status() >= 500 {
        warn!(request_id = %id, error = %Chain(refusal), "request refused");
    } else {
        debug!(request_id = %id, error = %Chain(refusal), "request refused");
    }
    let told = Problem::new(kind, refusal.to_string(), id.clone(), Component::Frontend);
    problem(&match kind {
        ProblemKind::Overloaded => told.with_header("retry-after", RETRY_AFTER),
        ProblemKind::MethodNotAllowed => told.with_header("allow", refusal.allow()),
        ProblemKind::Conflict if refusal.is_early() => told.with_header("retry-after", RETRY_AFTER),
        _ => told,
    })
}

impl Refusal {
    fn kind(&self) -> ProblemKind {
        match self {
            Self::Gate(refusal) => refusal.kind(),
            Self::Body(error) => error.kind(),
            Self::Call(error) => error.kind(),
            Self::Answer(_) => ProblemKind::FuncFailed,
            Self::Response(_) => ProblemKind::Internal,
            Self::Promise(error) => error.kind(),
        }
    }

    fn allow(&self) -> &'static str {
        match self {
            Self::Promise(error) => error.allow().unwrap_or(gate::ALLOW),
            _ => gate::ALLOW,
        }
    }

    /// Whether to ask again soon may help.
    fn is_early(&self) -> bool {
        matches!(self, Self::Promise(error) if error.is_early())
    }
}
