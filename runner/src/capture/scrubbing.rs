//! `Scrubbing`: finds secrets that were taken out wherever else they stand: a Func may have printed or
//! returned them.

use bytes::Bytes;
use wire::Body;
use wire::capture::{CaptureEntry, HostCall, HttpOutcome, REDACTED};

/// A shorter text is a word that stands in many places and gives nothing away.
const LEN_MIN: usize = 8;
/// The same for a part of a header, which is less sure to be secret: a cookie may say which theme somebody likes.
const PART_LEN_MIN: usize = 16;

/// Secrets that were taken out.
#[derive(Debug, Default)]
pub(super) struct Scrubbing {
    secrets: Vec<String>,
}

impl Scrubbing {
    pub(super) fn add(&mut self, secret: Option<&str>) {
        let Some(secret) = secret.filter(|secret| secret.len() >= LEN_MIN) else { return };
        // As it stands in JSON, but for its quotes.
        let bare = secret.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(secret);
        for secret in [secret, bare] {
            if secret.len() >= LEN_MIN && !self.secrets.iter().any(|known| known == secret) {
                self.secrets.push(secret.to_owned());
            }
        }
    }

    /// Adds the value of a header, and what it is made of: a scheme and a token, names and values.
    pub(super) fn add_header(&mut self, value: &str) {
        self.add(Some(value));
        let parts = value
            .split([' ', ';', ','])
            .flat_map(|part| [Some(part), part.split_once('=').map(|(_, value)| value)]);
        for part in parts.flatten().filter(|part| part.len() >= PART_LEN_MIN) {
            self.add(Some(part));
        }
    }

    /// Takes them out of everything.
    pub(super) fn scrub(mut self, entry: &mut CaptureEntry, redacted: &mut Vec<String>) {
        if self.secrets.is_empty() {
            return;
        }
        // What holds another one goes first.
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut note = |place: &str, is_found: bool| {
            if is_found {
                redacted.push(place.to_owned());
            }
        };
        let CaptureEntry { invoke, answer, activation, drawn, .. } = entry;
        note("invoke.headers", self.headers(&mut invoke.headers));
        note("invoke.query", self.text(&mut invoke.query));
        note("invoke.path", self.text(&mut invoke.path));
        note("invoke.body", self.body(&mut invoke.body));
        note("answer.headers", self.headers(&mut answer.headers));
        note("answer.body", self.body(&mut answer.body));
        note("activation.path", self.text(&mut activation.path));
        note("activation.error", activation.error.as_mut().is_some_and(|error| self.text(error)));
        for (number, line) in activation.logs.iter_mut().enumerate() {
            note(&format!("activation.logs.{number}"), self.text(&mut line.text));
        }
        for (number, call) in drawn.calls.iter_mut().enumerate() {
            let HostCall::Http(exchange) = call else { continue };
            let mut is_found = self.text(&mut exchange.url) | self.headers(&mut exchange.headers);
            is_found |= self.body(&mut exchange.body);
            if let HttpOutcome::Response { headers, body, .. } = &mut exchange.outcome {
                is_found |= self.headers(headers) | self.body(body);
            }
            note(&format!("drawn.calls.{number}"), is_found);
        }
    }

    fn headers(&self, headers: &mut [(String, String)]) -> bool {
        headers.iter_mut().fold(false, |is_found, (_, value)| is_found | self.text(value))
    }

    fn text(&self, text: &mut String) -> bool {
        let before = text.len();
        let mut is_found = false;
        for secret in &self.secrets {
            if before >= secret.len() && text.contains(secret.as_str()) {
                *text = text.replace(secret.as_str(), REDACTED);
                is_found = true;
            }
        }
        is_found
    }

    fn body(&self, body: &mut Body) -> bool {
        let Body::Inline(bytes) = body else { return false };
        let mut scrubbed: Option<Vec<u8>> = None;
        for secret in &self.secrets {
            let bytes = scrubbed.as_deref().unwrap_or(bytes);
            scrubbed = replaced(bytes, secret.as_bytes()).or(scrubbed);
        }
        let is_found = scrubbed.is_some();
        if let Some(scrubbed) = scrubbed {
            *body = Body::Inline(Bytes::from(scrubbed));
        }
        is_found
    }
}

/// The bytes without this secret, if it is in them.
fn replaced(bytes: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let mut left = bytes;
    let mut kept = Vec::new();
    while let Some(at) = position(left, secret) {
        kept.extend_from_slice(&left[..at]);
        kept.extend_from_slice(REDACTED.as_bytes());
        left = &left[at + secret.len()..];
    }
    (left.len() < bytes.len()).then(|| {
        kept.extend_from_slice(left);
        kept
    })
}

fn position(bytes: &[u8], secret: &[u8]) -> Option<usize> {
    let first = *secret.first()?;
    let mut from = 0;
    loop {
        from += bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes[from..].starts_with(secret) {
            return Some(from);
        }
        from += 1;
    }
}
