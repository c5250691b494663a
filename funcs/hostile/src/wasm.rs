//! The misdeeds themselves, on wasi:http directly: the SDK would not let us.

use std::io::{Read, Write};

use wasip2::clocks::monotonic_clock;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::outgoing_handler::{OutgoingRequest, handle};
use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam, Scheme,
};

use crate::Misdeed;

struct Component;

#[allow(unsafe_code, reason = "an export of a component is an unsafe extern function")]
const _: () = {
    wasip2::http::proxy::export!(Component);
};

impl Guest for Component {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let headers = request.headers();
        if !headers.get("x-funcatron-describe").is_empty() {
            return describe(out);
        }
        commit(Misdeed::of(&request.path_with_query().unwrap_or_default()), out);
    }
}

fn describe(out: ResponseOutparam) {
    let operations = "spin allocate panic recurse huge infinite status forbidden length silent sleep print line \
        fetch headers truncated polite";
    let names: Vec<_> = operations.split(' ').map(|name| format!("{name:?}")).collect();
    let body = format!("{{\"operations\":[{}]}}", names.join(","));
    answer(out, 200, &[("x-funcatron-describe", "operations")], body.as_bytes());
}

#[allow(clippy::panic, reason = "it is one of the misdeeds")]
fn commit(misdeed: Misdeed, out: ResponseOutparam) {
    match misdeed {
        Misdeed::Spin => spin(),
        Misdeed::Allocate => allocate(),
        Misdeed::Panic => panic!("the hostile Func panics on purpose"),
        Misdeed::Recurse => answer(out, 200, &[], recurse(1).to_string().as_bytes()),
        Misdeed::Huge(bytes) => stream(out, Some(bytes)),
        Misdeed::Infinite => stream(out, None),
        Misdeed::Status(code) => answer(out, code, &[], b"a status"),
        Misdeed::Forbidden(name, value) => answer(out, 200, &[(&name, &value)], b"a header"),
        Misdeed::Length(bytes) => answer(out, 200, &[("content-length", &bytes.to_string())], b"five!"),
        Misdeed::Silent => {}
        Misdeed::Sleep(seconds) => {
            monotonic_clock::subscribe_duration(seconds * 1_000_000_000).block();
            answer(out, 200, &[], b"slept");
        }
        Misdeed::Print(bytes) => print(out, bytes),
        Misdeed::Line(bytes) => {
            let _ = std::io::stderr().write_all(&vec![b'x'; bytes as usize]);
            answer(out, 200, &[], b"printed");
        }
        Misdeed::Fetch(url) => match fetch(&url) {
            Ok((status, body)) => answer(out, status, &[], &body),
            Err(error) => answer(out, 502, &[], error.as_bytes()),
        },
        Misdeed::Headers(count) => many_headers(out, count),
        Misdeed::Truncated => truncated(out),
        Misdeed::Polite => answer(out, 200, &[("content-type", "application/json")], br#"{"polite":true}"#),
    }
}

fn spin() {
    let mut count = 0u64;
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
}

fn allocate() {
    let mut kept = Vec::new();
    loop {
        kept.push(std::hint::black_box(vec![1u8; 1 << 20]));
    }
}

#[allow(unconditional_recursion, reason = "it is one of the misdeeds")]
fn recurse(depth: u64) -> u64 {
    let page = std::hint::black_box([depth; 32]);
    recurse(depth + 1).wrapping_add(page[depth as usize % 32])
}

fn many_headers(out: ResponseOutparam, count: u64) {
    let lines: Vec<_> = (0..count).map(|number| (format!("x-many-{number}"), "v".repeat(100))).collect();
    let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    answer(out, 200, &lines, b"many headers");
}

fn print(out: ResponseOutparam, bytes: u64) {
    let line = [&[b'x'; 99][..], b"\n"].concat();
    let mut stdout = std::io::stdout();
    for _ in 0..bytes.div_ceil(100) {
        let _ = stdout.write_all(&line);
    }
    answer(out, 200, &[], b"printed");
}

/// Answers at once and streams the body; without `bytes` it never ends.
fn stream(out: ResponseOutparam, bytes: Option<u64>) {
    let Some(body) = start(out, 200, &[]) else { return };
    if let Ok(mut stream) = body.write() {
        let chunk = [b'x'; 4096];
        let mut left = bytes.unwrap_or(u64::MAX);
        while left > 0 {
            let count = left.min(4096);
            if stream.write_all(&chunk[..count as usize]).is_err() {
                return;
            }
            left -= count;
        }
        let _ = Write::flush(&mut stream);
    }
    let _ = OutgoingBody::finish(body, None);
}

#[allow(clippy::panic, reason = "it is one of the misdeeds")]
fn truncated(out: ResponseOutparam) {
    let Some(body) = start(out, 200, &[("content-length", "10")]) else { return };
    if let Ok(mut stream) = body.write() {
        let _ = stream.write_all(b"five!");
        let _ = Write::flush(&mut stream);
    }
    panic!("the hostile Func ends half way on purpose");
}

fn fetch(url: &str) -> Result<(u16, Vec<u8>), String> {
    let (scheme, rest) = url.split_once("://").ok_or("no URL")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    let request = OutgoingRequest::new(Fields::new());
    let _ = request.set_scheme(Some(&scheme));
    request.set_authority(Some(authority)).map_err(|()| "bad authority")?;
    request.set_path_with_query(Some(if path.is_empty() { "/" } else { path })).map_err(|()| "bad path")?;
    let future = handle(request, None).map_err(|error| format!("refused: {error}"))?;
    future.subscribe().block();
    let response = match future.get() {
        Some(Ok(Ok(response))) => response,
        Some(Ok(Err(error))) => return Err(format!("failed: {error}")),
        _ => return Err("failed".into()),
    };
    let body = response.consume().map_err(|()| "no body")?;
    let mut bytes = Vec::new();
    let mut stream = body.stream().map_err(|()| "no body")?;
    stream.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok((response.status(), bytes))
}

fn answer(out: ResponseOutparam, status: u16, headers: &[(&str, &str)], bytes: &[u8]) {
    let Some(body) = start(out, status, headers) else { return };
    if let Ok(mut stream) = body.write() {
        let _ = stream.write_all(bytes);
        let _ = Write::flush(&mut stream);
    }
    let _ = OutgoingBody::finish(body, None);
}

/// What the host does not take goes to the log, and the response goes without it.
#[allow(clippy::print_stderr, reason = "the stderr of a Func is its log")]
fn start(out: ResponseOutparam, status: u16, headers: &[(&str, &str)]) -> Option<OutgoingBody> {
    let fields = Fields::new();
    for (name, value) in headers {
        if let Err(error) = fields.append(name, value.as_bytes()) {
            eprintln!("the host refuses the header {name}: {error}");
        }
    }
    let response = OutgoingResponse::new(fields);
    if response.set_status_code(status).is_err() {
        eprintln!("the host refuses the status {status}");
    }
    let body = response.body().ok();
    ResponseOutparam::set(out, Ok(response));
    body
}
