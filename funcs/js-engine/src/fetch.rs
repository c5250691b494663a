//! Outbound HTTP over wasi:http/outgoing-handler, blocking.

use std::io::{Read, Write};

use rquickjs::prelude::List;
use rquickjs::{Ctx, Exception, TypedArray};
use wasip2::http::outgoing_handler::{OutgoingRequest, handle};
use wasip2::http::types::{Fields, IncomingResponse, Method, OutgoingBody, Scheme};

use crate::native::bytes_of;

type Line = Vec<String>;
type Answer<'js> = List<(u16, Vec<Line>, TypedArray<'js, u8>)>;

pub(crate) fn fetch<'js>(
    ctx: Ctx<'js>,
    method: String,
    url: String,
    headers: Vec<Line>,
    body: TypedArray<'js, u8>,
) -> rquickjs::Result<Answer<'js>> {
    let body = bytes_of(&body);
    let exchanged = request(&method, &url, &headers)
        .and_then(|request| send(request, &body))
        .and_then(|response| read(&response));
    match exchanged {
        Ok((status, lines, body)) => Ok(List((status, lines, TypedArray::new(ctx, body)?))),
        Err(error) => Err(Exception::throw_type(&ctx, &format!("fetch {url}: {error}"))),
    }
}

fn request(method: &str, url: &str, headers: &[Line]) -> Result<OutgoingRequest, String> {
    let (scheme, authority, target) = split(url)?;
    let fields = Fields::new();
    for line in headers {
        if let [name, value] = &line[..] {
            fields.append(name, value.as_bytes()).map_err(|error| format!("header {name}: {error}"))?;
        }
    }
    let request = OutgoingRequest::new(fields);
    let bad = |what: &str| format!("bad {what}");
    request.set_method(&method_of(method)).map_err(|()| bad("method"))?;
    request.set_scheme(Some(&scheme)).map_err(|()| bad("scheme"))?;
    request.set_authority(Some(authority)).map_err(|()| bad("host"))?;
    request.set_path_with_query(Some(&target)).map_err(|()| bad("path"))?;
    Ok(request)
}

fn split(url: &str) -> Result<(Scheme, &str, String), String> {
    let url = url.split('#').next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").ok_or("not an absolute URL")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => return Err(format!("scheme {other} is not supported")),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let target = if target.starts_with('/') { target.into() } else { format!("/{target}") };
    Ok((scheme, authority, target))
}

fn method_of(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.into()),
    }
}

fn send(request: OutgoingRequest, bytes: &[u8]) -> Result<IncomingResponse, String> {
    let body = request.body().map_err(|()| "no body to write to")?;
    let future = handle(request, None).map_err(|error| error.to_string())?;
    if !bytes.is_empty() {
        let mut stream = body.write().map_err(|()| "no body to write to")?;
        let written = stream.write_all(bytes);
        written.map_err(|error| format!("write the body: {error}"))?;
    }
    OutgoingBody::finish(body, None).map_err(|error| error.to_string())?;
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(error))) => Err(error.to_string()),
        Some(Err(())) | None => Err("no response".into()),
    }
}

fn read(response: &IncomingResponse) -> Result<(u16, Vec<Line>, Vec<u8>), String> {
    let lines = response.headers().entries().into_iter();
    let lines = lines.map(|(name, value)| vec![name, String::from_utf8_lossy(&value).into_owned()]);
    let body = response.consume().map_err(|()| "no body")?;
    let mut stream = body.stream().map_err(|()| "no body")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).map_err(|error| format!("read the body: {error}"))?;
    Ok((response.status(), lines.collect(), bytes))
}
