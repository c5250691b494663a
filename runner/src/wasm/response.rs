//! `Response`: what a guest hands over, checked before anything of it leaves the sandbox.

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use tokio::sync::oneshot;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::Failure;

/// Headers of one response: beyond what clients and proxies take.
const HEADERS_MAX: usize = 100;
/// The bytes of all of them, likewise.
const HEADERS_BYTES_MAX: usize = 32 << 10;

/// A response that can be sent to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// What the guest sets, once.
pub(super) type Handed = Result<http::Response<HyperOutgoingBody>, ErrorCode>;

/// Waits for the response and reads all of it.
pub(super) async fn collect(
    handed: oneshot::Receiver<Handed>,
    bytes_max: usize,
    is_head: bool,
) -> Result<Response, Failure> {
    let response = handed
        .await
        .map_err(|_dropped| Failure::NoResponse)?
        .map_err(|code| Failure::Refused(format!("{code:?}")))?;
    let (head, body) = response.into_parts();
    let status = final_status(head.status)?;
    let mut headers = texts(&head.headers)?;
    let body = read(body, bytes_max).await?;
    check_length(&head.headers, &body, is_head)?;
    // Whoever puts the body on a connection counts it; of a body that is not sent, only this is known.
    if !is_head {
        headers.retain(|(name, _)| name != CONTENT_LENGTH.as_str());
    }
    Ok(Response { status, headers, body })
}

fn final_status(status: http::StatusCode) -> Result<u16, Failure> {
    match status.as_u16() {
        status @ 200..=599 => Ok(status),
        other => Err(Failure::Unusable(format!("status {other} ends no call"))),
    }
}

fn texts(headers: &http::HeaderMap) -> Result<Vec<(String, String)>, Failure> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > HEADERS_MAX || bytes > HEADERS_BYTES_MAX {
        let why = format!("its headers are over {HEADERS_MAX}, or over {HEADERS_BYTES_MAX} bytes");
        return Err(Failure::Unusable(why));
    }
    headers.iter().map(|(name, value)| Ok((name.to_string(), text(name, value)?))).collect()
}

fn text(name: &http::HeaderName, value: &http::HeaderValue) -> Result<String, Failure> {
    let text = std::str::from_utf8(value.as_bytes());
    text.map(str::to_owned).map_err(|_not_text| Failure::Unusable(format!("header {name} is not UTF-8")))
}

async fn read(mut body: HyperOutgoingBody, bytes_max: usize) -> Result<Bytes, Failure> {
    let mut whole = Pieces::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_broken| Failure::Unusable("its body broke off".to_owned()))?;
        // What is not data are trailers, which no client of ours would see.
        let Ok(piece) = frame.into_data() else { continue };
        whole.push(piece);
        if whole.len() > bytes_max {
            return Err(Failure::Unusable(format!("its body is over {bytes_max} bytes")));
        }
    }
    Ok(whole.join())
}

fn check_length(headers: &http::HeaderMap, body: &Bytes, is_head: bool) -> Result<(), Failure> {
    let Some(claimed) = headers.get(CONTENT_LENGTH) else { return Ok(()) };
    let claimed = claimed.to_str().ok().and_then(|text| text.parse::<usize>().ok());
    if claimed == Some(body.len()) || (is_head && claimed.is_some() && body.is_empty()) {
        return Ok(());
    }
    Err(Failure::Unusable(format!("its content-length is not the {} bytes of its body", body.len())))
}

/// A body in pieces; most come in one, which is then not copied.
#[derive(Default)]
struct Pieces {
    first: Bytes,
    rest: BytesMut,
}

impl Pieces {
    fn push(&mut self, piece: Bytes) {
        if self.len() == 0 {
            self.first = piece;
        } else {
            self.rest.extend_from_slice(&piece);
        }
    }

    fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    fn join(self) -> Bytes {
        if self.rest.is_empty() {
            return self.first;
        }
        let mut whole = BytesMut::with_capacity(self.first.len() + self.rest.len());
        whole.extend_from_slice(&self.first);
        whole.extend_from_slice(&self.rest);
        whole.freeze()
    }
}
