//! `Sponge`: takes secrets out of all that a call consists of, in one pass over each part.

use std::collections::HashSet;

use bytes::Bytes;
use wire::Body;
use wire::capture::{CaptureEntry, HostCall, HttpOutcome, REDACTED, REDACTED_IN_URL};

use super::needles::{Needles, TooMany, WORD_LEN_MAX};

/// Takes secrets out of all that a call consists of.
pub(super) struct Sponge<'s> {
    /// Absent where there are more than can be looked for: then all is taken out where one may be.
    secrets: Option<Needles<'s>>,
}

impl<'s> Sponge<'s> {
    pub(super) fn new(secrets: &'s HashSet<String>, is_over: bool) -> Self {
        Self { secrets: (!is_over).then(|| Needles::new(secrets)) }
    }

    pub(super) fn wipe(&self, entry: &mut CaptureEntry, redacted: &mut Vec<String>) {
        let mut note = |place: &str, is_found: bool| {
            if is_found {
                redacted.push(place.to_owned());
            }
        };
        let CaptureEntry { invoke, answer, activation, drawn, .. } = entry;
        note("invoke.headers", self.headers(&mut invoke.headers));
        note("invoke.query", self.text(&mut invoke.query, REDACTED_IN_URL));
        note("invoke.path", self.path(&mut invoke.path));
        note("invoke.body", self.body(&mut invoke.body));
        note("answer.headers", self.headers(&mut answer.headers));
        note("answer.body", self.body(&mut answer.body));
        note("activation.path", self.path(&mut activation.path));
        let error = activation.error.as_mut();
        note("activation.error", error.is_some_and(|error| self.text(error, REDACTED)));
        for (number, line) in activation.logs.iter_mut().enumerate() {
            if self.text(&mut line.text, REDACTED) {
                note(&format!("activation.logs.{number}"), true);
            }
        }
        for (number, call) in drawn.calls.iter_mut().enumerate() {
            let HostCall::Http(exchange) = call else { continue };
            let mut is_found = self.text(&mut exchange.url, REDACTED_IN_URL);
            is_found |= self.headers(&mut exchange.headers) | self.body(&mut exchange.body);
            match &mut exchange.outcome {
                HttpOutcome::Response { headers, body, .. } => {
                    is_found |= self.headers(headers) | self.body(body);
                }
                HttpOutcome::Failed(_) => {}
            }
            if is_found {
                note(&format!("drawn.calls.{number}"), true);
            }
        }
    }

    fn headers(&self, headers: &mut [(String, String)]) -> bool {
        headers.iter_mut().fold(false, |is_found, (name, value)| {
            // Without it, nobody could tell what a body was.
            let is_known = name.eq_ignore_ascii_case("content-type");
            is_found | (!is_known && self.text(value, REDACTED))
        })
    }

    fn path(&self, path: &mut String) -> bool {
        // Where it led is known from the record anyway.
        self.secrets.is_some() && self.text(path, REDACTED_IN_URL)
    }

    fn text(&self, text: &mut String, mark: &str) -> bool {
        let Some(wiped) = self.wiped(text.as_bytes(), mark, false) else { return false };
        // Texts were taken out of a text.
        *text = String::from_utf8(wiped).unwrap_or_else(|_| mark.to_owned());
        true
    }

    fn body(&self, body: &mut Body) -> bool {
        let Body::Inline(bytes) = body else { return false };
        let is_json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        let Some(wiped) = self.wiped(bytes, REDACTED, is_json) else { return false };
        *body = Body::Inline(Bytes::from(wiped));
        true
    }

    /// The bytes without secrets, if there are any in them.
    fn wiped(&self, bytes: &[u8], mark: &str, is_json: bool) -> Option<Vec<u8>> {
        let found = self.secrets.as_ref().ok_or(TooMany).and_then(|secrets| secrets.found_in(bytes));
        let Ok(found) = found else {
            let may_hold_one = !bytes.is_empty() && bytes != mark.as_bytes();
            return may_hold_one.then(|| mark.as_bytes().to_vec());
        };
        let (mut wiped, mut done) = (Vec::new(), 0);
        let mut quotes = Quotes::default();
        for place in &found {
            let is_bare = is_json && !quotes.is_within(bytes, place.start);
            if is_json && !is_bare && place.len() <= WORD_LEN_MAX && names_a_member(&bytes[place.end..]) {
                continue;
            }
            wiped.extend_from_slice(&bytes[done..place.start]);
            // A number has no quotes, and what stands for it needs them.
            let quote: &[u8] = if is_bare { b"\"" } else { b"" };
            wiped.extend([quote, mark.as_bytes(), quote].concat());
            done = place.end;
        }
        (done > 0).then(|| {
            wiped.extend_from_slice(&bytes[done..]);
            wiped
        })
    }
}

/// Whether the text of JSON that goes on with this is the name of a member. A word may be one by chance, and without it
/// the body is another.
fn names_a_member(rest: &[u8]) -> bool {
    let end = rest.iter().position(|byte| *byte == b'"').map_or(rest.len(), |quote| quote + 1);
    rest[end..].trim_ascii_start().starts_with(b":")
}

/// Knows where the texts of JSON begin and end, from its beginning on.
#[derive(Default)]
struct Quotes {
    at: usize,
    is_open: bool,
}

impl Quotes {
    /// Whether there is a text at this place, which is not before any that was asked for.
    fn is_within(&mut self, bytes: &[u8], place: usize) -> bool {
        while self.at < place {
            match bytes[self.at] {
                b'"' => self.is_open = !self.is_open,
                b'\\' => self.at += 1,
                _ => {}
            }
            self.at += 1;
        }
        self.is_open
    }
}
