//! Takes out of a call what is secret, as its document says and as is known of HTTP.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;
use swagger::{BasePath, Document, Operation, SecretPlace, Secrets};
use wire::capture::{CaptureEntry, Drawn, HostCall, HttpOutcome, REDACTED, REDACTED_IN_URL};
use wire::{Body, Invoke};

use super::names;
use super::scrubbing::Scrubbing;
use crate::url::Url;

const FORM: &str = "application/x-www-form-urlencoded";

/// Takes out of a call what is secret, as the document of its bundle says and as is known of HTTP, and notes where it
/// was beside what was noted before.
pub fn redact(entry: &mut CaptureEntry, document: &Document, base_path: &BasePath) {
    let below = base_path.strip(&entry.invoke.path).map(str::to_owned);
    let operation = below.as_deref().and_then(|path| document.operation(&entry.invoke.method, path));
    let redacted = std::mem::take(&mut entry.redacted);
    let mut redaction = Redaction { document, operation, redacted, scrubbing: Scrubbing::default() };
    redaction.request(entry, below.as_deref());
    redaction.answer(entry);
    redaction.drawn(&mut entry.drawn);
    let Redaction { mut redacted, scrubbing, .. } = redaction;
    if !scrubbing.is_empty() {
        let path = entry.invoke.path.clone();
        scrubbing.scrub(entry, &mut redacted);
        if let Some(operation) = operation.filter(|_| entry.invoke.path != path) {
            let method = &entry.invoke.method;
            let leads_there = |path: &str| {
                let found = base_path.strip(path).and_then(|below| document.operation(method, below));
                found.is_some_and(|found| found.id() == operation.id())
            };
            let spared = spared(&path, &entry.invoke.path, leads_there);
            entry.activation.path.clone_from(&spared);
            entry.invoke.path = spared;
        }
    }
    let mut places = HashSet::new();
    redacted.retain(|place| places.insert(place.clone()));
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
        if !invoke.query.is_empty() {
            let secrets = self.document.query_secrets(operation, &invoke.query, names::is_secret_member);
            if let Some(query) = self.cut("invoke.query", secrets, invoke.query.as_bytes()) {
                invoke.query = String::from_utf8(query).unwrap_or_else(|_| REDACTED_IN_URL.to_owned());
            }
        }
        if let (Some(operation), Some(below)) = (operation, below) {
            let scrubbing = &mut self.scrubbing;
            if let Some(path) = without_secrets(operation, below, |secret| scrubbing.add_encoded(secret)) {
                let above = invoke.path.strip_suffix(below).unwrap_or_default().to_owned();
                invoke.path = above + &path;
                self.redacted.push("invoke.path".to_owned());
            }
            self.body("invoke.body", &mut invoke.body, |body| operation.request_secrets(&content_type, body));
        }
        // What JSON holds, the document says; a form is what people log in with.
        if is_form(&content_type) {
            self.named("invoke.body", &content_type, &mut invoke.body);
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

    /// Others have documents that we do not know: names have to do.
    fn drawn(&mut self, drawn: &mut Drawn) {
        for (number, call) in drawn.calls.iter_mut().enumerate() {
            let HostCall::Http(exchange) = call else { continue };
            let place = format!("drawn.calls.{number}");
            self.headers(&format!("{place}.headers"), &mut exchange.headers, |_| false);
            let content_type_sent = content_type(&exchange.headers);
            self.named(&format!("{place}.body"), &content_type_sent, &mut exchange.body);
            if let HttpOutcome::Response { headers, body, .. } = &mut exchange.outcome {
                self.headers(&format!("{place}.outcome.headers"), headers, |_| false);
                self.named(&format!("{place}.outcome.body"), &content_type(headers), body);
            }
            if let Some(url) = self.url(&exchange.url) {
                exchange.url = url;
                self.redacted.push(format!("{place}.url"));
            }
        }
    }

    fn headers(&mut self, place: &str, headers: &mut [(String, String)], is_marked: impl Fn(&str) -> bool) {
        for (name, value) in headers {
            let is_secret =
                names::is_secret_header(name) || self.document.is_api_key_header(name) || is_marked(name);
            if is_secret && !value.is_empty() {
                self.scrubbing.add_header(name, value);
                REDACTED.clone_into(value);
                self.redacted.push(format!("{place}.{name}"));
            }
        }
    }

    /// Takes out what is secret by its name.
    fn named(&mut self, place: &str, content_type: &str, body: &mut Body) {
        self.body(place, body, |body| {
            body.map_or(Secrets::None, |body| Secrets::named(content_type, body, names::is_secret_member))
        });
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
        // From piece to piece: a body may have thousands.
        let mut cut = Vec::with_capacity(bytes.len());
        let mut done = 0;
        for SecretPlace { bytes: range, texts, pointer } in &places {
            texts.iter().for_each(|text| self.scrubbing.add(text));
            cut.extend_from_slice(bytes.get(done..range.start).unwrap_or_default());
            cut.extend_from_slice(substitute.as_bytes());
            done = range.end;
            self.redacted.push(format!("{place}{pointer}"));
        }
        cut.extend_from_slice(bytes.get(done..).unwrap_or_default());
        (!places.is_empty()).then_some(cut)
    }

    /// The URL of a request to somebody else without what is secret by its name, if there is any.
    fn url(&mut self, url: &str) -> Option<String> {
        let Url { scheme, user, host, path, query } = Url::parse(url);
        let members = || query.into_iter().flat_map(|query| query.split('&'));
        if user.is_none() && !members().any(is_secret) {
            return None;
        }
        if let Some(user) = user {
            self.scrubbing.add_user(user);
        }
        let user = user.map_or_else(String::new, |_| format!("{REDACTED_IN_URL}@"));
        let members = members().map(|member| match member.split_once('=') {
            Some((name, value)) if is_secret(member) => {
                self.scrubbing.add_encoded(value);
                format!("{name}={REDACTED_IN_URL}")
            }
            _ => member.to_owned(),
        });
        let members = members.collect::<Vec<_>>().join("&");
        let mark = if query.is_some() { "?" } else { "" };
        Some(format!("{scheme}://{user}{host}{path}{mark}{members}"))
    }
}

/// The path below the document's without its secret segments, if it has any.
fn without_secrets(operation: &Operation, below: &str, mut take_out: impl FnMut(&str)) -> Option<String> {
    if !operation.secret_segments().any(|template| template.is_some()) {
        return None;
    }
    let segments = below.split('/').skip(1).zip(operation.secret_segments());
    let segments = segments.map(|(segment, template)| {
        let Some(template) = template else { return Cow::Borrowed(segment) };
        take_out(segment);
        take_out(parameters(segment, template));
        Cow::Owned(without_parameters(template))
    });
    Some(segments.fold(String::with_capacity(below.len()), |path, segment| path + "/" + &segment))
}

/// A segment that still matches its template, and has no value in it.
fn without_parameters(template: &str) -> String {
    let (mut segment, mut rest) = (String::new(), template);
    while let Some((literal, parameter)) = rest.split_once('{') {
        segment = segment + literal + REDACTED_IN_URL;
        rest = parameter.split_once('}').map_or("", |(_, rest)| rest);
    }
    segment + rest
}

/// The path with those segments as they are in `wiped` without which it still leads to where it led: what the document
/// says of a path is known to everybody.
fn spared(path: &str, wiped: &str, leads_there: impl Fn(&str) -> bool) -> String {
    let (mut kept, wiped): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), wiped.split('/').collect());
    if kept.len() != wiped.len() {
        return wiped.join("/");
    }
    for (at, segment) in wiped.into_iter().enumerate() {
        let before = std::mem::replace(&mut kept[at], segment);
        if !leads_there(&kept.join("/")) {
            kept[at] = before;
        }
    }
    kept.join("/")
}

/// A segment without what its template says before the first parameter and after the last.
fn parameters<'s>(segment: &'s str, template: &str) -> &'s str {
    let before = template.split('{').next().unwrap_or_default();
    let after = template.rsplit('}').next().unwrap_or_default();
    let rest = segment.strip_prefix(before).unwrap_or(segment);
    rest.strip_suffix(after).unwrap_or(rest)
}

/// Whether a member of the query of a request to somebody else is secret by its name.
fn is_secret(member: &str) -> bool {
    member
        .split_once('=')
        .is_some_and(|(name, value)| !value.is_empty() && names::is_secret_sent_member(name))
}

fn is_form(content_type: &str) -> bool {
    content_type.get(..FORM.len()).is_some_and(|start| start.eq_ignore_ascii_case(FORM))
}

fn content_type(headers: &[(String, String)]) -> String {
    let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}
