//! An HTTP archive (HAR 1.2) of captured calls. Written call by call: nothing of it is held.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use wire::Body;
use wire::capture::{CaptureEntry, CaptureHeader};

use crate::clock;

/// How far it is read to tell whether a file is one.
const HEAD_BYTES: u64 = 256;

/// Whether a file is such an archive.
pub(crate) fn is_one(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    let head = String::from_utf8_lossy(&head);
    let member = head.trim_start_matches('\u{feff}').trim_start().strip_prefix('{').map(str::trim_start);
    Ok(member.is_some_and(|member| member.starts_with("\"log\"")))
}

/// What comes before the calls.
pub(super) fn begin(out: &mut impl Write, header: &CaptureHeader) -> io::Result<()> {
    let creator = json!({"name": "funcatron", "version": env!("CARGO_PKG_VERSION")});
    let comment = json!(format!("capture {} of {}{}", header.capture.id, header.host, header.base_path));
    write!(out, r#"{{"log":{{"version":"1.2","creator":{creator},"comment":{comment},"entries":["#)
}

/// A call.
pub(super) fn entry(out: &mut impl Write, entry: &CaptureEntry, is_first: bool) -> io::Result<()> {
    let separator = if is_first { "\n" } else { ",\n" };
    write!(out, "{separator}{}", of(entry))
}

/// What comes after them.
pub(super) fn end(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n]}}}}")
}

fn of(entry: &CaptureEntry) -> Value {
    let CaptureEntry { invoke, answer, activation, .. } = entry;
    #[allow(clippy::cast_precision_loss, reason = "no call takes centuries")]
    let (blocked, wait) = (activation.queued_ms as f64, activation.service_us as f64 / 1000.0);
    json!({
        "startedDateTime": clock::utc(invoke.at),
        "time": blocked + wait,
        "request": request(entry),
        "response": {
            "status": answer.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": headers(&answer.headers),
            "content": content(&answer.body, &answer.headers),
            "redirectURL": value(&answer.headers, "location"),
            "headersSize": -1,
            "bodySize": len(&answer.body),
        },
        "cache": {},
        "timings": {"blocked": blocked, "send": 0, "wait": wait, "receive": 0},
        "_activation": activation.id,
        "_bundle": activation.bundle,
        "_operation": activation.operation,
    })
}

fn request(entry: &CaptureEntry) -> Value {
    let invoke = &entry.invoke;
    let query = if invoke.query.is_empty() { String::new() } else { format!("?{}", invoke.query) };
    let mut request = json!({
        "method": invoke.method,
        "url": format!("{}://{}{}{query}", invoke.scheme, invoke.host, invoke.path),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(&invoke.headers),
        "queryString": query_string(&invoke.query),
        "headersSize": -1,
        "bodySize": len(&invoke.body),
    });
    if !invoke.body.is_empty() {
        let mut data = content(&invoke.body, &invoke.headers);
        // Of a request the format knows text alone.
        if let Some(data) = data.as_object_mut() {
            data.remove("size");
            let encoding = data.remove("encoding");
            data.extend(encoding.map(|encoding| ("_encoding".to_owned(), encoding)));
        }
        request["postData"] = data;
    }
    request
}

fn headers(headers: &[(String, String)]) -> Value {
    headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn query_string(query: &str) -> Value {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            json!({"name": decoded(name), "value": decoded(value)})
        })
        .collect()
}

/// A body as text, or as base64 where it is none.
fn content(body: &Body, headers: &[(String, String)]) -> Value {
    let media_type = match value(headers, "content-type") {
        "" => "application/octet-stream",
        named => named,
    };
    let mut content = json!({"size": len(body), "mimeType": media_type});
    match body {
        Body::Inline(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => content["text"] = text.into(),
            Err(_binary) => {
                content["text"] = BASE64.encode(bytes).into();
                content["encoding"] = "base64".into();
            }
        },
        Body::Stored(_) => content["comment"] = "too large to be kept here".into(),
    }
    content
}

fn len(body: &Body) -> u64 {
    match body {
        Body::Inline(bytes) => bytes.len() as u64,
        Body::Stored(stored) => stored.len,
    }
}

fn value<'h>(headers: &'h [(String, String)], name: &str) -> &'h str {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}
