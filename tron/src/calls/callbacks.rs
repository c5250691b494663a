//! `Callbacks`: posts results to where their callers said.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, Request, Uri};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use wire::broker::{Message, callbacks_queue};
use wire::calls::{Accepted, CallStatus, Callback, Finished, location};
use wire::egress::{self, AllowList, Exchange, Tls};
use wire::http::{ResponseBody, X_REQUEST_ID};
use wire::{Answer, Body, Broker, Chain, Store, Timestamp, decode_line, split_lines, store};

use super::intake::{Handled, Intake};

/// Callbacks being posted at a time. Servers that are slow keep them; results of others do not wait for
/// these places.
const PREFETCH: u16 = 64;
/// How often a result is posted: with pauses that double from one second on, half a minute of trouble passes.
const ATTEMPTS_MAX: u32 = 6;
/// How long the way there may take, name and handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the other side may think. Who has more to do with a result does that afterwards.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

const CALL: HeaderName = HeaderName::from_static("x-funcatron-call");
const STATUS: HeaderName = HeaderName::from_static("x-funcatron-status");
const RESPONSE_STATUS: HeaderName = HeaderName::from_static("x-funcatron-response-status");

/// Posts results to where their callers said.
#[derive(Clone)]
pub(super) struct Callbacks {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) store: Store,
    pub(super) allowed: AllowList,
    pub(super) tls: Tls,
    /// How long to wait before a result is posted for the second time; twice as long before each further time.
    pub(super) pause: Duration,
    pub(super) stop: CancellationToken,
}

/// Why a result was not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("callbacks may not go to this address")]
    NotAllowed,
    #[error("the result's body cannot be read")]
    Body(#[from] store::Error),
    #[error("the request cannot be written")]
    Request(#[from] http::Error),
    #[error(transparent)]
    Exchange(#[from] egress::Error),
    #[error("answered with status {0}")]
    Status(u16),
}

impl Callbacks {
    /// Posts results until it is stopped.
    pub(super) async fn run(self) {
        let broker = Arc::clone(&self.broker);
        let intake = Intake { broker, queue: callbacks_queue(), prefetch: PREFETCH };
        intake.run(|message| self.clone().handle(message), &self.stop).await;
    }

    async fn handle(self, message: Message) -> Handled {
        for line in split_lines(&message.payload) {
            let answer: Answer = match decode_line(&line) {
                Ok(answer) => answer,
                Err(error) => return Handled::Never(Chain(&error).to_string()),
            };
            // What is posted and not noted is posted again, by us or another.
            match self.stop.run_until_cancelled(self.settle(&answer)).await {
                Some(Ok(())) => {}
                Some(Err(error @ store::Error::BadRecord { .. })) => {
                    return Handled::Never(Chain(&error).to_string());
                }
                Some(Err(error)) => {
                    warn!(request_id = %answer.id, activation = %answer.activation, error = %Chain(&error), "callback not noted");
                    return Handled::Later;
                }
                None => return Handled::Later,
            }
        }
        Handled::Done
    }

    /// Posts a result unless that is done, and notes what came of it.
    async fn settle(&self, answer: &Answer) -> Result<(), store::Error> {
        let activation = answer.activation;
        let (accepted, finished, noted) = tokio::try_join!(
            self.store.accepted_call(activation),
            self.store.finished_call(activation),
            self.store.callback(activation),
        )?;
        let (Some(accepted), Some(finished), None) = (accepted, finished, noted) else { return Ok(()) };
        let Some(callback) = self.deliver(&accepted, &finished).await else { return Ok(()) };
        self.store.note_callback(activation, &callback).await
    }

    /// Posts a result until it is taken or that was tried often enough.
    async fn deliver(&self, accepted: &Accepted, finished: &Finished) -> Option<Callback> {
        let url = accepted.callback.as_deref()?;
        let (activation, mut attempts, mut pause) = (accepted.activation, 0, self.pause);
        loop {
            attempts += 1;
            let error = match self.post(url, accepted, finished).await {
                Ok(()) => {
                    debug!(request_id = %accepted.request_id, %activation, attempts, "callback posted");
                    return Some(Callback { at: Timestamp::now(), attempts, error: None });
                }
                Err(error) => error,
            };
            warn!(request_id = %accepted.request_id, %activation, namespace = %accepted.namespace, attempts, error = %Chain(&error), "callback not taken");
            if attempts == ATTEMPTS_MAX || matches!(error, NotTaken::NotAllowed) {
                // What lies behind it, names and addresses of ours among that, is for the log.
                let error = Some(error.to_string());
                return Some(Callback { at: Timestamp::now(), attempts, error });
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn post(&self, url: &str, accepted: &Accepted, finished: &Finished) -> Result<(), NotTaken> {
        let uri: Uri = url.parse().map_err(http::Error::from)?;
        let target = self.allowed.admit(&uri).ok_or(NotTaken::NotAllowed)?;
        let exchange = Exchange {
            target,
            tls: self.tls.clone(),
            request: self.request(uri, accepted, finished).await?,
            connect_timeout: CONNECT_TIMEOUT,
            response_timeout: RESPONSE_TIMEOUT,
        };
        // A body that is sent for ever is no answer; what of it came by then does not matter.
        let posted = timeout(CONNECT_TIMEOUT + RESPONSE_TIMEOUT, exchange.run()).await;
        let (response, _driver) = posted.map_err(|_elapsed| egress::Error::ResponseTimeout)??;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(NotTaken::Status(status.as_u16())),
        }
    }

    /// The result as a request: its body and what that is, and whose it is.
    async fn request(
        &self,
        uri: Uri,
        accepted: &Accepted,
        finished: &Finished,
    ) -> Result<Request<ResponseBody>, NotTaken> {
        let answer = &finished.answer;
        let (body, len) = match &answer.body {
            Body::Inline(bytes) => (ResponseBody::full(bytes.clone()), bytes.len() as u64),
            Body::Stored(stored) => {
                (ResponseBody::stored(self.store.body(stored).await?, stored.len), stored.len)
            }
        };
        let told = CallStatus::of(accepted, Some(finished), finished.at);
        let host = uri.authority().map_or("", http::uri::Authority::as_str).to_owned();
        let mut request = Request::post(uri)
            .header(HOST, host)
            .header(USER_AGENT, "funcatron")
            .header(CONTENT_LENGTH, len)
            .header(X_REQUEST_ID, accepted.request_id.as_str())
            .header(CALL, location(&accepted.activation))
            .header(STATUS, told.status.as_str())
            .header(RESPONSE_STATUS, answer.status);
        let content_type = answer.headers.iter().find(|(name, _)| name == CONTENT_TYPE.as_str());
        if let Some((_, content_type)) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        Ok(request.body(body)?)
    }
}
