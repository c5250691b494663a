//! `Exchange`: a request of a call that is noted, and perhaps answered from what was noted before.

use std::time::Duration;

use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::time::{Instant, sleep_until};
use wasmtime_wasi_http::{Error, WasiBody};
use wire::Body;
use wire::capture::{HttpExchange, HttpOutcome};

use super::tape::{Answering, texts};
use super::tee::{Side, Tee};
use super::{Tape, error_code};
use crate::egress::Exchanged;

/// A request of a call that is noted.
pub(crate) struct Exchange {
    tape: Tape,
    entry: usize,
}

impl Exchange {
    /// Notes a request; gives it back to be sent, and where its answer comes from.
    pub(crate) fn begin(tape: &Tape, request: Request<WasiBody>) -> (Self, Request<WasiBody>, Answering) {
        let (head, body) = request.into_parts();
        let (entry, answering) = tape.begin(&head);
        if let Answering::Nowhere = answering {
            let url = head.uri.to_string();
            // Queries may hold secrets.
            let url = url.split('?').next().unwrap_or_default();
            tape.say(format!("{} {url} was not recorded, and the replay may not go outside", head.method));
        }
        let exchange = Self { tape: tape.clone(), entry };
        let body = exchange.tee(body, Side::Request);
        (exchange, Request::from_parts(head, body), answering)
    }

    /// Notes what came of it.
    pub(crate) fn end(self, result: Exchanged) -> Exchanged {
        let outcome = match &result {
            Ok((response, _)) => HttpOutcome::Response {
                status: response.status().as_u16(),
                headers: texts(response.headers()),
                body: Body::EMPTY,
                cut: None,
            },
            Err(error) => HttpOutcome::Failed(error_code::name(error)),
        };
        self.tape.amend(self.entry, |exchanging, now_us| {
            exchanging.exchange.took_us = now_us.saturating_sub(exchanging.exchange.at_us);
            exchanging.exchange.outcome = outcome;
        });
        result.map(|(response, driver)| (response.map(|body| self.tee(body, Side::Response)), driver))
    }

    fn tee(&self, body: WasiBody, side: Side) -> WasiBody {
        Tee { body, side, tape: self.tape.clone(), entry: self.entry }.boxed_unsync()
    }
}

/// Answers a request as it was answered before, after as long.
pub(crate) async fn play(known: HttpExchange, request: WasiBody) -> Exchanged {
    let answered_at = Instant::now() + Duration::from_micros(known.took_us);
    // The Func may wait for its request to be read before it goes on.
    let mut reading = Box::pin(read(request));
    tokio::select! {
        biased;
        () = &mut reading => sleep_until(answered_at).await,
        () = sleep_until(answered_at) => {
            return Ok((response(known.outcome)?, Box::new(async { reading.await; Ok(()) })));
        }
    }
    Ok((response(known.outcome)?, Box::new(async { Ok(()) })))
}

async fn read(mut body: WasiBody) {
    while let Some(Ok(_)) = body.frame().await {}
}

fn response(outcome: HttpOutcome) -> Result<Response<WasiBody>, Error> {
    let (status, headers, body, cut) = match outcome {
        HttpOutcome::Response { status, headers, body, cut } => (status, headers, body, cut),
        HttpOutcome::Failed(name) => return Err(error_code::error(&name)),
    };
    let Body::Inline(body) = body else {
        return Err(Error::InternalError(Some("the recorded body is elsewhere".to_owned())));
    };
    let data = (!body.is_empty()).then(|| Ok(Frame::data(body)));
    let end = cut.map(|name| Err(error_code::error(&name)));
    let body = StreamBody::new(stream::iter(data.into_iter().chain(end))).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).map_err(|_bad| Error::HttpProtocolError)?;
    *response.headers_mut() = headers_of(&headers);
    Ok(response)
}

/// Headers of a record. Those that are none were none when it was made either.
fn headers_of(texts: &[(String, String)]) -> HeaderMap {
    let header = |(name, value): &(String, String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value).ok()?))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in texts.iter().filter_map(header) {
        headers.append(name, value);
    }
    headers
}
