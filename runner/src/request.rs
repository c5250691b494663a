//! The request that a Func sees: the client's, with what the platform knows about it.

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use swagger::Checked;
use wire::{Invoke, Level};

use crate::ascii;
use crate::wasm::RequestBody;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const OPERATION: HeaderName = HeaderName::from_static("x-funcatron-operation");
const PATH_PARAMS: HeaderName = HeaderName::from_static("x-funcatron-path-params");
const QUERY_PARAMS: HeaderName = HeaderName::from_static("x-funcatron-query-params");
const ATTEMPT: HeaderName = HeaderName::from_static("x-funcatron-attempt");
/// Which of its lines are kept, where that was set for its route: others need not be written.
const LOG_LEVEL: HeaderName = HeaderName::from_static("x-funcatron-log-level");

/// What the request cannot be made into, for the most part because it is too long.
#[derive(Debug, thiserror::Error)]
#[error("it is not a request that HTTP allows")]
pub(crate) struct Unfit(#[source] http::Error);

impl<E: Into<http::Error>> From<E> for Unfit {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// The request that carries this invoke to its Func, and its id.
pub(crate) fn request(
    invoke: &Invoke,
    checked: &Checked<'_>,
    level_min: Level,
    body: RequestBody,
) -> Result<(http::Request<RequestBody>, HeaderValue), Unfit> {
    let request_id = HeaderValue::from_str(invoke.id.as_str())?;
    let mut request = http::Request::new(body);
    *request.method_mut() = invoke.method.parse()?;
    *request.uri_mut() = target(invoke)?;
    *request.headers_mut() = headers(invoke, checked, level_min, request_id.clone())?;
    Ok((request, request_id))
}

fn target(invoke: &Invoke) -> Result<Uri, Unfit> {
    let path = if invoke.query.is_empty() {
        PathAndQuery::try_from(invoke.path.as_str())?
    } else {
        PathAndQuery::try_from(format!("{}?{}", invoke.path, invoke.query))?
    };
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(invoke.scheme.parse()?);
    parts.authority = Some(invoke.host.parse()?);
    parts.path_and_query = Some(path);
    Ok(Uri::from_parts(parts)?)
}

fn headers(
    invoke: &Invoke,
    checked: &Checked<'_>,
    level_min: Level,
    request_id: HeaderValue,
) -> Result<HeaderMap, Unfit> {
    let mut headers = HeaderMap::try_with_capacity(invoke.headers.len() + 5)?;
    for (name, value) in &invoke.headers {
        headers.append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    // In place of what a client may have sent under these names.
    headers.insert(REQUEST_ID, request_id);
    headers.insert(OPERATION, HeaderValue::from_str(checked.operation.id())?);
    headers.insert(PATH_PARAMS, json(&checked.path_params)?);
    headers.insert(QUERY_PARAMS, json(&checked.query_params)?);
    headers.insert(ATTEMPT, HeaderValue::from(invoke.attempt));
    if level_min == Level::default() {
        headers.remove(LOG_LEVEL);
    } else {
        headers.insert(LOG_LEVEL, HeaderValue::from_static(level_min.as_str()));
    }
    Ok(headers)
}

fn json(params: &serde_json::Map<String, serde_json::Value>) -> Result<HeaderValue, Unfit> {
    // A map of JSON values can always be written.
    let json = ascii::to_json(params).unwrap_or_default();
    Ok(HeaderValue::from_bytes(&json)?)
}
