//! `Response`: what a guest hands over, checked before anything of it leaves the sandbox.

use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use tokio::sync::oneshot;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wire::Body;

use super::Failure;
use super::outlet::{Intake, Outlet};

/// Headers of one response: beyond what clients and proxies take.
const HEADERS_MAX: usize = 100;
/// The bytes of all of them, likewise.
const HEADERS_BYTES_MAX: usize = 32 << 10;

/// A response that can be sent to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// What the guest sets, once.
pub(super) type Handed = Result<http::Response<HyperOutgoingBody>, ErrorCode>;

/// Waits for the response and takes all of it: up to `held_max` in memory, beyond what a message carries
/// through the outlet, if it admits the response.
pub(super) async fn collect(
    handed: oneshot::Receiver<Handed>,
    held_max: usize,
    outlet: Option<Outlet<'_>>,
    is_head: bool,
) -> Result<Response, Failure> {
    let response = handed
        .await
        .map_err(|_dropped| Failure::NoResponse)?
        .map_err(|code| Failure::Refused(format!("{code:?}")))?;
    let (head, body) = response.into_parts();
    let status = final_status(head.status)?;
    let mut headers = texts(&head.headers)?;
    let outlet = outlet.filter(|outlet| (outlet.admits)(status, &headers));
    let mut intake = Intake::new(held_max, outlet);
    read(body, &mut intake).await?;
    check_length(&head.headers, intake.len(), is_head)?;
    let body = intake.finish().await?;
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

async fn read(mut body: HyperOutgoingBody, intake: &mut Intake<'_>) -> Result<(), Failure> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_broken| Failure::Unusable("its body broke off".to_owned()))?;
        // What is not data are trailers, which no client of ours would see.
        let Ok(piece) = frame.into_data() else { continue };
        intake.push(piece).await?;
    }
    Ok(())
}

fn check_length(headers: &http::HeaderMap, len: u64, is_head: bool) -> Result<(), Failure> {
    let Some(claimed) = headers.get(CONTENT_LENGTH) else { return Ok(()) };
    let claimed = claimed.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    if claimed == Some(len) || (is_head && claimed.is_some() && len == 0) {
        return Ok(());
    }
    Err(Failure::Unusable(format!("its content-length is not the {len} bytes of its body")))
}
