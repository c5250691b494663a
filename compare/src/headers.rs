//! Compares the headers that matter.

use swagger::Part;

use crate::difference::Found;
use crate::redacted::Redacted;
use crate::{Place, format, json};

/// Compared whether they are documented or not.
const ALWAYS: [&str; 2] = ["content-type", "location"];
/// Not compared even if they are documented: they follow from when an answer is made, and from its body.
const NEVER: [&str; 8] =
    ["age", "content-length", "date", "etag", "expires", "last-modified", "server", "x-request-id"];

/// The headers of two answers.
pub(crate) struct Sides<'h> {
    pub(crate) expected: &'h [(String, String)],
    pub(crate) actual: &'h [(String, String)],
    pub(crate) redacted: Redacted<'h>,
}

/// Where the headers that matter differ.
pub(crate) fn compare(
    described: &[(&str, Part<'_>)],
    sides: &Sides<'_>,
    is_secret: impl Fn(&str, &str) -> bool,
    found: &mut Found<'_>,
) {
    let Sides { expected, actual, redacted } = *sides;
    let described = described.iter().map(|(name, part)| (name.to_ascii_lowercase(), Some(part)));
    let mut names: Vec<(String, Option<&Part<'_>>)> = ALWAYS.map(|name| (name.to_owned(), None)).into();
    names.extend(described.filter(|(name, _)| !ALWAYS.contains(&name.as_str())));
    for (name, part) in names.into_iter().filter(|(name, _)| !NEVER.contains(&name.as_str())) {
        let (was, is) = (values(expected, &name), values(actual, &name));
        let is_same = |(was, is): (&&str, &&str)| was == is || redacted.covers_header(&name, was, is);
        if was.len() == is.len() && was.iter().zip(&is).all(is_same) {
            continue;
        }
        if let ([was], [is]) = (was.as_slice(), is.as_slice())
            && (name == "location" && is_same_place(was, is)
                || part.is_some_and(|part| json::is_volatile(part, &(*was).into(), &(*is).into())))
        {
            continue;
        }
        if was.iter().chain(&is).any(|value| is_secret(&name, value)) {
            found.secret(Place::Header(name));
            continue;
        }
        let text = |values: &[&str]| (!values.is_empty()).then(|| values.join(", "));
        let (was, is) = (text(&was), text(&is));
        found.texts(Place::Header(name), was.as_ref().map(|was| was as _), is.as_ref().map(|is| is as _));
    }
}

/// The content type; empty when there is none.
pub(crate) fn content_type(headers: &[(String, String)]) -> &str {
    values(headers, "content-type").first().copied().unwrap_or_default()
}

fn values<'h>(headers: &'h [(String, String)], name: &str) -> Vec<&'h str> {
    let named = headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str()).collect()
}

/// Whether two URLs are the same but for the UUIDs in them, which whatever was made anew is named by.
fn is_same_place(was: &str, is: &str) -> bool {
    fn pieces(url: &str) -> impl Iterator<Item = &str> {
        url.split_inclusive(['/', '?', '&', '='])
    }
    fn stem(piece: &str) -> &str {
        piece.trim_end_matches(['/', '?', '&', '='])
    }
    let is_same = |(was, is): (&str, &str)| {
        was == is
            || format::is_uuid(stem(was))
                && format::is_uuid(stem(is))
                && was.get(stem(was).len()..) == is.get(stem(is).len()..)
    };
    pieces(was).count() == pieces(is).count() && pieces(was).zip(pieces(is)).all(is_same)
}
