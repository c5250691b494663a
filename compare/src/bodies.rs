//! Compares two bodies: JSON as JSON, everything else byte by byte.

use serde_json::Value;
use swagger::Part;
use wire::{Body, BodySha};

use crate::difference::Found;
use crate::redacted::Redacted;
use crate::secrecy::Secrecy;
use crate::{Place, failure, json};

/// Bytes shown from shortly before the first that differs.
const EXCERPT_BYTES: usize = 60;
const BEFORE_BYTES: usize = 20;

/// The bodies of two answers.
pub(crate) struct Sides<'b> {
    pub(crate) content_type: &'b str,
    pub(crate) expected: &'b Body,
    pub(crate) actual: &'b Body,
    pub(crate) redacted: Redacted<'b>,
    pub(crate) secrecy: &'b Secrecy,
}

/// Where two bodies differ.
pub(crate) fn compare(part: Option<&Part<'_>>, sides: &Sides<'_>, found: &mut Found<'_>) {
    let Sides { content_type, expected, actual, redacted, secrecy } = *sides;
    let (Body::Inline(was), Body::Inline(is)) = (expected, actual) else {
        return compare_stored(sides, found);
    };
    if let (Some(mut was), Some(mut is)) = (value(content_type, was), value(content_type, is)) {
        failure::level(content_type, &mut was, &mut is);
        json::Walk::new(redacted, secrecy, found).values(part, &was, &is);
    } else if was != is
        && !part.is_some_and(|part| json::is_volatile(part, &text(was), &text(is)))
        && !redacted.covers_body(was, is)
    {
        if secrecy.is_any() {
            return found.secret(Place::Body(Vec::new()));
        }
        let at = was.iter().zip(is).take_while(|(was, is)| was == is).count();
        found.texts(Place::Body(Vec::new()), Some(&excerpt(was, at)), Some(&excerpt(is, at)));
    }
}

fn text(body: &[u8]) -> Value {
    String::from_utf8_lossy(body).into()
}

/// The value that a body of this type stands for, if there is one.
fn value(content_type: &str, body: &[u8]) -> Option<Value> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence.ends_with("/json") || essence.ends_with("+json") {
        serde_json::from_slice(body).ok()
    } else {
        None
    }
}

/// Bodies that lie in the store are known by what their bytes hash to.
fn compare_stored(sides: &Sides<'_>, found: &mut Found<'_>) {
    let known = |body: &Body| match body {
        Body::Inline(bytes) => (BodySha::of(bytes), bytes.len() as u64),
        Body::Stored(stored) => (stored.sha256.clone(), stored.len),
    };
    let (was, is) = (known(sides.expected), known(sides.actual));
    if was.0 == is.0 {
        return;
    }
    if sides.secrecy.is_any() {
        return found.secret(Place::Body(Vec::new()));
    }
    let text = |(sha, len): (BodySha, u64)| format!("{len} bytes with SHA-256 {sha}");
    found.texts(Place::Body(Vec::new()), Some(&text(was)), Some(&text(is)));
}

/// What stands around the byte at `at`, and where that is.
fn excerpt(bytes: &[u8], at: usize) -> String {
    let from = at.saturating_sub(BEFORE_BYTES);
    let to = bytes.len().min(from + EXCERPT_BYTES);
    let around = String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default());
    match from {
        0 => format!("\"{around}\" of {} bytes", bytes.len()),
        from => format!("\"{around}\" from byte {from} of {}", bytes.len()),
    }
}
