//! `Exchange`: a request of a call that is noted, and perhaps answered from what was noted before.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body as _, Frame};
use tokio::time::{Instant, sleep_until};
use wasmtime_wasi_http::{Error, WasiBody};
use wire::Body;
use wire::capture::{HttpExchange, HttpOutcome};

use super::tape::{Answering, header_bytes, texts};
use super::tee::{Side, Tee};
use super::{Tape, error_code};
use crate::egress::Exchanged;

/// A request of a call that is noted.
pub(crate) struct Exchange {
    tape: Tape,
    /// Where, if there is room for it.
    entry: Option<usize>,
}

impl Exchange {
    /// Notes a request; gives it back to be sent, and where its answer comes from.
    pub(crate) fn begin(tape: &Tape, request: Request<WasiBody>) -> (Self, Request<WasiBody>, Answering) {
        let (head, body) = request.into_parts();
        let (entry, answering) = tape.begin(&head);
        let exchange = Self { tape: tape.clone(), entry };
        let body = exchange.tee(body, Side::Request);
        (exchange, Request::from_parts(head, body), answering)
    }

    /// Notes what came of it.
    pub(crate) fn end(self, result: Exchanged) -> Exchanged {
        let outcome = match &result {
            Ok((response, _)) => self.outcome(response),
            Err(error) => Some(HttpOutcome::Failed(error_code::name(error))),
        };
        if let Some(outcome) = outcome {
            self.tape.amend(self.entry, |exchanging, now_us| {
                exchanging.exchange.took_us = now_us.saturating_sub(exchanging.exchange.at_us);
                exchanging.exchange.outcome = outcome;
            });
        }
        result.map(|(response, driver)| (response.map(|body| self.tee(body, Side::Response)), driver))
    }

    /// A response, if there is room for its head.
    fn outcome(&self, response: &Response<WasiBody>) -> Option<HttpOutcome> {
        let headers = texts(response.headers());
        // Until its end has been seen: a Func need not read that far.
        let cut = (!response.body().is_end_stream()).then(|| error_code::UNFINISHED.to_owned());
        let status = response.status().as_u16();
        let has_room = self.tape.has_room(header_bytes(&headers));
        has_room.then_some(HttpOutcome::Response { status, headers, body: Body::EMPTY, cut })
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
    let body = match cut {
        // It knows where its end is, as most that are recorded did.
        None => Full::new(body).map_err(|never: Infallible| match never {}).boxed_unsync(),
        Some(name) => {
            let data = (!body.is_empty()).then(|| Ok(Frame::data(body)));
            StreamBody::new(stream::iter(data.into_iter().chain([Err(error_code::of_cut(&name))])))
                .boxed_unsync()
        }
    };
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// What is noted of a response of which the Func reads so many pieces.
    async fn read(body: WasiBody, pieces: usize) -> HttpOutcome {
        let tape = Tape::blank();
        let request = Request::get("http://a.test/")
            .body(Full::default().map_err(|never: Infallible| match never {}).boxed_unsync())
            .unwrap();
        let (exchange, ..) = Exchange::begin(&tape, request);
        let (response, _driver) =
            exchange.end(Ok((Response::new(body), Box::new(async { Ok(()) })))).ok().unwrap();
        let mut body = response.into_body();
        for _ in 0..pieces {
            body.frame().await;
        }
        let wire::capture::HostCall::Http(exchange) = tape.take().0.calls.remove(0) else { panic!() };
        exchange.outcome
    }

    fn pieces() -> WasiBody {
        let pieces = ["a", "b"].map(|piece| Ok(Frame::data(Bytes::from(piece))));
        StreamBody::new(stream::iter(pieces)).boxed_unsync()
    }

    #[tokio::test]
    async fn a_body_ends_where_the_func_read_no_further_unless_that_is_its_end() {
        let whole = Full::new(Bytes::from("ab")).map_err(|never: Infallible| match never {}).boxed_unsync();
        for (body, count, kept, is_cut) in [
            (pieces(), 0, "", true),
            (pieces(), 1, "a", true),
            (pieces(), 3, "ab", false),
            (whole, 1, "ab", false),
        ] {
            let outcome = read(body, count).await;
            let HttpOutcome::Response { body, cut, .. } = &outcome else { panic!("{outcome:?}") };
            assert_eq!((body, cut.as_deref()), (&Body::from(kept), is_cut.then_some(error_code::UNFINISHED)));
            let again = response(outcome).unwrap().into_body().collect().await;
            match again {
                Ok(body) => assert!(!is_cut && body.to_bytes() == kept),
                Err(error) => assert!(is_cut && error_code::name(&error) == error_code::UNREAD),
            }
        }
    }
}
