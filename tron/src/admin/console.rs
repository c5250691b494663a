//! `Console`: the page for people. Its files are part of the program and say nothing about what is deployed: whoever
//! looks asks the admin API for that, with a token of their own.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http::header::IF_NONE_MATCH;
use http::request::Parts;
use wire::BodySha;
use wire::http::Response;

use super::refused::Refused;

/// Below which it lies.
const BASE_PATH: &str = "/console/";

/// From where people are sent there. The place is relative: something in front of us may add a path.
const ELSEWHERE: [&str; 2] = ["/", "/console"];
const THERE: &str = "console/";

/// What a browser does for it: run and show what comes from here, ask here and nowhere else, and take no text for code
/// or HTML.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// The files of `tron/console`.
macro_rules! files {
    ($($name:literal),* $(,)?) => { [$(($name, include_bytes!(concat!("../../console/", $name)) as &[u8])),*] };
}

/// The page for people. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Console {
    files: Arc<[File]>,
}

#[derive(Debug)]
struct File {
    name: &'static str,
    content: Bytes,
    etag: String,
}

impl Console {
    pub(super) fn new() -> Self {
        let files = files![
            "api.js",
            "app.js",
            "bundles.js",
            "capture.js",
            "captures.js",
            "chart.js",
            "docs.js",
            "document.js",
            "dom.js",
            "entry.js",
            "example.js",
            "exchange.js",
            "format.js",
            "health.js",
            "icon.svg",
            "index.html",
            "letters.js",
            "level.js",
            "logs.js",
            "page.js",
            "pulse.js",
            "raw.js",
            "replay.js",
            "request.js",
            "requests.js",
            "route.js",
            "routes.js",
            "schema.js",
            "style.css",
            "table.js",
            "tryout.js",
        ];
        let file = |(name, content): (&'static str, &'static [u8])| File {
            name,
            content: Bytes::from_static(content),
            etag: format!("\"{}\"", BodySha::of(content)),
        };
        Self { files: files.into_iter().map(file).collect() }
    }

    /// Answers a request for the page or a part of it; `None` when it is for something else.
    pub(super) fn respond(&self, head: &Parts) -> Option<Result<Response, Refused>> {
        let path = head.uri.path();
        let name = path.strip_prefix(BASE_PATH);
        if name.is_none() && !ELSEWHERE.contains(&path) {
            return None;
        }
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return Some(Err(Refused::method_not_allowed("GET, HEAD")));
        }
        Some(
            name.map_or_else(
                || respond(302, &[("location", THERE)], Bytes::new()),
                |name| self.file(name, head),
            ),
        )
    }

    fn file(&self, name: &str, head: &Parts) -> Result<Response, Refused> {
        let name = if name.is_empty() { "index.html" } else { name };
        let file = self.files.iter().find(|file| file.name == name);
        let file = file.ok_or_else(|| Refused::not_found("the console has no such file"))?;
        // Asked for again each time: after an upgrade no file may be of another version than the rest.
        let headers = [
            ("content-type", content_type(name)),
            ("etag", &file.etag),
            ("cache-control", "no-cache"),
            ("content-security-policy", POLICY),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ];
        let held = head.headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match held.split(',').any(|etag| etag.trim() == file.etag) {
            true => respond(304, &headers, Bytes::new()),
            false => respond(200, &headers, file.content.clone()),
        }
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn respond(status: u16, headers: &[(&str, &str)], body: Bytes) -> Result<Response, Refused> {
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    wire::http::full(status, &headers, body).map_err(Refused::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_in_the_program() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/console");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        let console = Console::new();
        assert_eq!(console.files.iter().map(|file| file.name).collect::<Vec<_>>(), there);
        assert!(there.iter().all(|name| content_type(name) != "application/octet-stream"), "{there:?}");
    }
}
