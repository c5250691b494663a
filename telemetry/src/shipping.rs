//! `Shipping`: takes spans to whoever collects them, some hundred at a time.

use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{Request, Uri};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use wire::Chain;
use wire::egress::{self, Exchange, Target, Tls};
use wire::http::ResponseBody;

use crate::otlp;
use crate::tracer::{Shared, Told};

/// Where in a collector traces are taken.
const PATH: &str = "v1/traces";

/// Spans in a request: some hundred kilobytes.
const BATCH_MAX: usize = 512;

/// How long a span waits for others. A trace is looked at seconds later.
const GATHER: Duration = Duration::from_millis(200);

/// A collector is near; what is not taken by then is tried again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For its answer.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a request is made until its spans are given up: a collector that starts anew is missed for seconds.
const ATTEMPTS_MAX: u32 = 4;
/// Before the second of them; each further pause is twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a process that ends waits for a collector to take the last spans.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// A collector's address.
#[derive(Clone, Debug)]
pub struct Endpoint {
    url: Uri,
    target: Target,
    tls: Tls,
}

/// The address is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a collector of OTLP over HTTP is named like http://localhost:4318")]
pub struct BadEndpoint;

impl FromStr for Endpoint {
    type Err = BadEndpoint;

    /// Reads the base URL of a collector; traces go to `v1/traces` below it.
    fn from_str(text: &str) -> Result<Self, BadEndpoint> {
        let url: Uri =
            format!("{}/{PATH}", text.trim_end_matches('/')).parse().map_err(|_bad| BadEndpoint)?;
        let target = Target::trusted(&url).filter(|_| url.query().is_none()).ok_or(BadEndpoint)?;
        // That cannot be set up with a library that offers no safe protocol: ours does.
        let tls = Tls::new().map_err(|_never| BadEndpoint)?;
        Ok(Self { url, target, tls })
    }
}

/// Takes spans to whoever collects them.
pub struct Shipping {
    endpoint: Endpoint,
    spans: mpsc::Receiver<Told>,
    counts: Arc<Shared>,
}

impl std::fmt::Debug for Shipping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shipping").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Why spans were not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("make the request")]
    Request(#[from] http::Error),
    #[error("reach the collector")]
    Exchange(#[from] egress::Error),
    #[error("the collector answered with status {0}")]
    Status(u16),
}

impl Shipping {
    pub(crate) fn new(endpoint: Endpoint, spans: mpsc::Receiver<Told>, counts: Arc<Shared>) -> Self {
        Self { endpoint, spans, counts }
    }

    /// Takes spans until shutdown, and then what is left, for a moment.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut batch = Vec::new();
        let _stopped: Option<Infallible> = shutdown.run_until_cancelled(self.ship(&mut batch)).await;
        let last = async {
            while self.spans.try_recv().map(|told| batch.push(told)).is_ok() {}
            for part in batch.chunks(BATCH_MAX) {
                self.count(part.len(), &self.post(part).await);
            }
        };
        if timeout(FLUSH_TIMEOUT, last).await.is_err() {
            warn!("the last spans were not taken in time");
        }
    }

    /// What is under way lies in `batch`, so that it is not lost when this is stopped.
    async fn ship(&mut self, batch: &mut Vec<Told>) -> Infallible {
        loop {
            if self.spans.recv_many(batch, BATCH_MAX).await == 0 {
                // We hold a sender ourselves.
                std::future::pending::<()>().await;
            }
            let until = Instant::now() + GATHER;
            while batch.len() < BATCH_MAX {
                let room = BATCH_MAX - batch.len();
                if timeout_at(until, self.spans.recv_many(batch, room)).await.is_err() {
                    break;
                }
            }
            let taken = self.post_again(batch).await;
            self.count(batch.len(), &taken);
            batch.clear();
        }
    }

    async fn post_again(&self, batch: &[Told]) -> Result<(), NotTaken> {
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS_MAX {
            match self.post(batch).await {
                Err(error) if error.may_pass() => {
                    debug!(error = %Chain(&error), "spans not taken, trying again");
                }
                ended => return ended,
            }
            sleep(pause).await;
            pause *= 2;
        }
        self.post(batch).await
    }

    async fn post(&self, batch: &[Told]) -> Result<(), NotTaken> {
        let Endpoint { url, target, tls } = &self.endpoint;
        let body = Bytes::from(otlp::request(batch));
        let request = Request::post(url.clone())
            .header(HOST, url.authority().map_or("", http::uri::Authority::as_str))
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(CONTENT_LENGTH, body.len())
            .body(ResponseBody::full(body))?;
        let exchange = Exchange {
            target: target.clone(),
            tls: tls.clone(),
            request,
            connect_timeout: CONNECT_TIMEOUT,
            response_timeout: RESPONSE_TIMEOUT,
        };
        let (response, _driver) = exchange.run().await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(NotTaken::Status(status.as_u16())),
        }
    }

    fn count(&self, spans: usize, taken: &Result<(), NotTaken>) {
        let counter: &AtomicU64 = match taken {
            Ok(()) => &self.counts.exported,
            Err(error) => {
                warn!(spans, error = %Chain(error), "spans given up");
                &self.counts.failed
            }
        };
        counter.fetch_add(spans as u64, Ordering::Relaxed);
    }
}

impl NotTaken {
    /// Whether it may go better a moment later, by the rules of OTLP.
    fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 429 | 502..=504),
            Self::Exchange(_) => true,
            Self::Request(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_the_base_of_a_collector() {
        let endpoint: Endpoint = "http://localhost:4318/".parse().unwrap();
        assert_eq!(endpoint.url, "http://localhost:4318/v1/traces");
        for text in ["", "localhost:4318", "ftp://a", "http://u:p@a", "http://a/?b"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
