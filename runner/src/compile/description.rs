//! What code says about itself: it is run once, on very little, and asked for its operations.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use serde::Deserialize;
use wire::egress::{AllowList, Tls};
use wire::{Body, Level};

use super::order::{Rejection, Report};
use crate::artefacts;
use crate::egress::Reach;
use crate::javascript;
use crate::outside::Outside;
use crate::wasm::{Call, Environment, Func, Limits, RequestBody, Response, Sandbox, engine};

/// What a component may take to say what it is.
const LIMITS: Limits = Limits {
    memory_max: 128 << 20,
    cpu_max: Duration::from_secs(1),
    response_bytes_max: 1 << 20,
    log_bytes_max: 4 << 10,
};
/// It has a second of a processor; on a busy machine that takes a while.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Asks for a description, and marks one.
const HEADER: &str = "x-funcatron-describe";
const OPERATIONS: &str = "operations";

/// Asks the component for its operations, with the source that it is to run if it is an engine.
pub(super) fn describe(artefact: &Path, source: Option<&Vec<u8>>) -> wasmtime::Result<Report> {
    let sandbox = Sandbox::new(engine::single()?)?;
    let Some(component) = artefacts::load(sandbox.engine(), artefact) else {
        return Ok(Report::Unloadable);
    };
    let program = match sandbox.link(&component) {
        Ok(program) => program,
        Err(unfit) => return Ok(Report::Rejected(Rejection::new(unfit.to_string()))),
    };
    let extra = source.map(|source| javascript::variables(source)).unwrap_or_default();
    let environment = Environment::new(&serde_json::Map::new(), extra);
    let reach = Reach { allowed: Arc::new(AllowList::default()), tls: Tls::new()?, requests_max: 0 };
    let func = Func { program, environment, reach, limits: LIMITS };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(func.call(question()?)).result {
        Ok(response) => Ok(understand(&response)?),
        Err(failure) if source.is_some() => Ok(Report::Rejected(Rejection::new(failure.to_string()))),
        // A component from elsewhere need not have an answer to what it does not know.
        Err(_) => Ok(Report::Described { operations: None }),
    }
}

fn question() -> Result<Call<'static>, http::Error> {
    let request = http::Request::get("http://localhost/")
        .header(HEADER, OPERATIONS)
        .body(RequestBody::from(Bytes::new()))?;
    let request_id = HeaderValue::from_static("describe");
    Ok(Call {
        request,
        request_id,
        traceparent: None,
        trace: None,
        timeout: TIMEOUT,
        outlet: None,
        level_min: Level::Info,
        outside: Outside::Live,
    })
}

fn understand(response: &Response) -> serde_json::Result<Report> {
    #[derive(Deserialize)]
    struct Description {
        operations: Vec<String>,
    }
    if !response.headers.iter().any(|(name, value)| name == HEADER && value == OPERATIONS) {
        return Ok(Report::Described { operations: None });
    }
    // Without an outlet, a body comes whole or not at all.
    let Body::Inline(body) = &response.body else { return Ok(Report::Described { operations: None }) };
    if response.status == 422 {
        return serde_json::from_slice(body).map(Report::Rejected);
    }
    let description: Description = serde_json::from_slice(body)?;
    Ok(Report::Described { operations: Some(description.operations) })
}
