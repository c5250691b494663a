//! Finds the secret fields of a form, or of a query.

use super::{Secrets, leaves::starts_as_json, places::Places};
use crate::{node, percent};

/// Where the secrets are in a body that was sent as a form. One that is none in truth may hold them anywhere.
pub(super) fn of_form(body: &[u8], is_secret: impl Fn(&str) -> bool) -> Secrets {
    if starts_as_json(body) || !body.contains(&b'=') {
        return Secrets::Somewhere;
    }
    of_pairs(body, is_secret)
}

/// Where the secrets are in a form or a query.
pub(super) fn of_pairs(pairs: &[u8], is_secret: impl Fn(&str) -> bool) -> Secrets {
    let Ok(text) = std::str::from_utf8(pairs) else { return Secrets::Somewhere };
    let mut places = Places::default();
    let mut start = 0;
    for pair in text.split('&') {
        let end = start + pair.len();
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(name) = percent::decode_form(name) else { return Secrets::Somewhere };
        if !value.is_empty() && is_secret(&name) {
            let added = places.add(end - value.len()..end, texts(value), &node::join("", &name));
            if added.is_err() {
                return Secrets::Somewhere;
            }
        }
        start = end + 1;
    }
    places.fields()
}

/// What a value says, and what stands there for it.
fn texts(value: &str) -> Vec<String> {
    let decoded = percent::decode_form(value).filter(|decoded| decoded != value);
    decoded.into_iter().map(String::from).chain([value.to_owned()]).collect()
}
