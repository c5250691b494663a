//! Takes out of a call what is secret, as its document says and as is known of HTTP.

use bytes::Bytes;
use swagger::{BasePath, Document, Operation, SecretPlace, Secrets};
use wire::capture::{CaptureEntry, Drawn, HostCall, HttpOutcome, REDACTED};
use wire::{Body, Invoke};

use super::scrubbing::Scrubbing;

/// Headers that carry credentials in every API.
const HEADERS: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];
/// Members of a query that carry credentials in the APIs of others, of which we have no document.
const QUERY: [&str; 8] =
    ["token", "access_token", "api_key", "apikey", "key", "password", "secret", "signature"];
/// [`REDACTED`] as it stands in a URL, or a form.
const REDACTED_IN_URL: &str = "%5Bredacted%5D";

/// Takes out what is secret, and notes where it was.
pub(super) fn redact(entry: &mut CaptureEntry, document: &Document, base_path: &BasePath) {
    let below = base_path.strip(&entry.invoke.path).map(str::to_owned);
    let operation = below.as_deref().and_then(|path| document.operation(&entry.invoke.method, path));
    let mut redaction =
        Redaction { document, operation, redacted: Vec::new(), scrubbing: Scrubbing::default() };
    redaction.request(entry, below.as_deref());
    redaction.answer(entry);
    redaction.drawn(&mut entry.drawn);
    let Redaction { mut redacted, scrubbing, .. } = redaction;
    scrubbing.scrub(entry, &mut redacted);
    entry.redacted = redacted;
}

/// The path of a call as records and log lines show it, which are not only for those who may see secrets.
pub(crate) fn shown_path(document: &Document, base_path: &BasePath, invoke: &Invoke) -> String {
    let below = base_path.strip(&invoke.path);
    let cut = below.and_then(|below| {
        let operation = document.operation(&invoke.method, below)?;
        let above = invoke.path.strip_suffix(below)?;
        Some(above.to_owned() + &without_secrets(operation, below, |_| {})?)
    });
    cut.unwrap_or_else(|| invoke.path.clone())
}

struct Redaction<'d> {
    document: &'d Document,
    operation: Option<&'d Operation>,
    redacted: Vec<String>,
    /// Finds what was taken out wherever else it stands.
    scrubbing: Scrubbing,
}

impl Redaction<'_> {
    fn request(&mut self, entry: &mut CaptureEntry, below: Option<&str>) {
        let invoke = &mut entry.invoke;
        let content_type = content_type(&invoke.headers);
        let operation = self.operation;
        self.headers("invoke.headers", &mut invoke.headers, |name| {
            operation.is_some_and(|operation| operation.is_secret_header(name))
        });
        let secrets = self.document.query_secrets(operation, &invoke.query);
        if let Some(query) = self.cut("invoke.query", secrets, invoke.query.as_bytes()) {
            invoke.query = String::from_utf8(query).unwrap_or_else(|_| REDACTED_IN_URL.to_owned());
        }
        if let (Some(operation), Some(below)) = (operation, below) {
            let scrubbing = &mut self.scrubbing;
            if let Some(path) = without_secrets(operation, below, |secret| scrubbing.add(Some(secret))) {
                let above = invoke.path.strip_suffix(below).unwrap_or_default().to_owned();
                invoke.path = above + &path;
                self.redacted.push("invoke.path".to_owned());
            }
            self.body("invoke.body", &mut invoke.body, |body| operation.request_secrets(&content_type, body));
        }
    }

    fn answer(&mut self, entry: &mut CaptureEntry) {
        let answer = &mut entry.answer;
        let (status, content_type) = (answer.status, content_type(&answer.headers));
        let operation = self.operation;
        self.headers("answer.headers", &mut answer.headers, |name| {
            operation.is_some_and(|operation| operation.is_secret_response_header(status, name))
        });
        if let Some(operation) = operation {
            self.body("answer.body", &mut answer.body, |body| {
                operation.response_secrets(status, &content_type, body)
            });
        }
    }

    fn drawn(&mut self, drawn: &mut Drawn) {
        for (number, call) in drawn.calls.iter_mut().enumerate() {
            let HostCall::Http(exchange) = call else { continue };
            let place = format!("drawn.calls.{number}");
            self.headers(&format!("{place}.headers"), &mut exchange.headers, |_| false);
            if let HttpOutcome::Response { headers, .. } = &mut exchange.outcome {
                self.headers(&format!("{place}.outcome.headers"), headers, |_| false);
            }
            if let Some(url) = self.url(&exchange.url) {
                exchange.url = url;
                self.redacted.push(format!("{place}.url"));
            }
        }
    }

    fn headers(&mut self, place: &str, headers: &mut [(String, String)], is_marked: impl Fn(&str) -> bool) {
        for (name, value) in headers {
            let is_secret = HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name))
                || self.document.is_api_key_header(name)
                || is_marked(name);
            if is_secret && !value.is_empty() {
                self.scrubbing.add_header(value);
                REDACTED.clone_into(value);
                let place = format!("{place}.{name}");
                if !self.redacted.contains(&place) {
                    self.redacted.push(place);
                }
            }
        }
    }

    fn body(&mut self, place: &str, body: &mut Body, secrets: impl Fn(Option<&[u8]>) -> Secrets) {
        if body.is_empty() {
            return;
        }
        let cut = match body {
            Body::Inline(bytes) => self.cut(place, secrets(Some(bytes)), bytes),
            // It lies where everybody with the file would look it up.
            Body::Stored(_) => self.cut(place, secrets(None), b""),
        };
        if let Some(cut) = cut {
            *body = Body::Inline(Bytes::from(cut));
        }
    }

    /// The bytes without what is secret, if any of them is.
    fn cut(&mut self, place: &str, secrets: Secrets, bytes: &[u8]) -> Option<Vec<u8>> {
        let (places, substitute) = match secrets {
            Secrets::None => return None,
            Secrets::Values(places) => (places, format!("\"{REDACTED}\"")),
            Secrets::Fields(places) => (places, REDACTED_IN_URL.to_owned()),
            Secrets::Somewhere => {
                self.redacted.push(place.to_owned());
                return Some(REDACTED.as_bytes().to_vec());
            }
        };
        let mut cut = bytes.to_vec();
        for SecretPlace { bytes: range, text, pointer } in places.iter().rev() {
            self.scrubbing.add(text.as_deref());
            self.scrubbing.add(bytes.get(range.clone()).and_then(|raw| std::str::from_utf8(raw).ok()));
            cut.splice(range.clone(), substitute.bytes());
            self.redacted.push(format!("{place}{pointer}"));
        }
        (!places.is_empty()).then_some(cut)
    }

    /// The URL of a request to somebody else without what is secret by its name, if there is any.
    fn url(&mut self, url: &str) -> Option<String> {
        let (head, query) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, rest) = head.split_once("://").unwrap_or(("", head));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let user = authority.rsplit_once('@');
        let members: Vec<(&str, bool)> = query.split('&').map(|member| (member, is_secret(member))).collect();
        if user.is_none() && !members.iter().any(|(_, is_secret)| *is_secret) {
            return None;
        }
        let (user, host) = user.map_or((None, authority), |(user, host)| (Some(user), host));
        self.scrubbing.add(user);
        let user = if user.is_some() { format!("{REDACTED_IN_URL}@") } else { String::new() };
        let members = members.into_iter().map(|(member, is_secret)| match member.split_once('=') {
            Some((name, value)) if is_secret => {
                self.scrubbing.add(Some(value));
                format!("{name}={REDACTED_IN_URL}")
            }
            _ => member.to_owned(),
        });
        let query = members.collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        Some(format!("{scheme}://{user}{host}{path}{mark}{query}"))
    }
}

/// The path below the document's without its secret segments, if it has any.
fn without_secrets(operation: &Operation, below: &str, mut take_out: impl FnMut(&str)) -> Option<String> {
    if !operation.secret_segments().any(|is_secret| is_secret) {
        return None;
    }
    let segments = below.split('/').skip(1).zip(operation.secret_segments());
    let segments = segments.map(|(segment, is_secret)| {
        if !is_secret {
            return segment;
        }
        take_out(segment);
        REDACTED_IN_URL
    });
    Some(segments.fold(String::with_capacity(below.len()), |path, segment| path + "/" + segment))
}

/// Whether a member of a query is secret by its name.
fn is_secret(member: &str) -> bool {
    member.split_once('=').is_some_and(|(name, value)| {
        !value.is_empty() && QUERY.iter().any(|own| own.eq_ignore_ascii_case(name))
    })
}

fn content_type(headers: &[(String, String)]) -> String {
    let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}
