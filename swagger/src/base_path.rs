//! `BasePath` is the path prefix under which a document is served, compared by whole segments.

use std::{fmt, str::FromStr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::percent;

/// A path prefix without a trailing slash; the root is the empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct BasePath {
    /// Decoded; none is empty or a dot segment.
    segments: Vec<String>,
}

/// Text that is not a base path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad base path {path:?}: {reason}")]
pub struct BadBasePath {
    /// The text.
    pub path: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// What RFC 3986 lets stand in a segment as it is.
const NOT_IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

impl BasePath {
    /// Reads a base path; `""` and `"/"` are the root, and one trailing slash is dropped.
    ///
    /// # Errors
    /// Text without a leading slash, or with empty segments, dot segments, templates or bad escapes.
    pub fn parse(text: &str) -> Result<BasePath, BadBasePath> {
        parse_segments(text)
            .map(|segments| BasePath { segments })
            .map_err(|reason| BadBasePath { path: text.to_owned(), reason })
    }

    /// Whether every path is under it.
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// The path relative to this base, beginning with `/`; `None` when the path is elsewhere.
    pub fn strip<'p>(&self, path: &'p str) -> Option<&'p str> {
        let mut rest = path;
        for segment in &self.segments {
            let tail = rest.strip_prefix('/')?;
            let end = tail.find('/').unwrap_or(tail.len());
            let (head, after) = tail.split_at(end);
            if percent::decode(head)? != segment.as_str() {
                return None;
            }
            rest = after;
        }
        match rest {
            "" => Some("/"),
            _ => rest.starts_with('/').then_some(rest),
        }
    }

    /// The decoded segments.
    pub(crate) fn segments(&self) -> &[String] {
        &self.segments
    }
}

/// Deeper prefixes than any document uses, and few enough that a tree of them is never deep.
const SEGMENTS_MAX: usize = 64;

fn parse_segments(text: &str) -> Result<Vec<String>, &'static str> {
    if text.bytes().filter(|byte| *byte == b'/').count() > SEGMENTS_MAX {
        return Err("it has too many segments");
    }
    let Some(rest) = text.strip_prefix('/') else {
        return if text.is_empty() { Ok(Vec::new()) } else { Err("it must begin with a slash") };
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        return if text == "//" { Err("it has an empty segment") } else { Ok(Vec::new()) };
    }
    rest.split('/').map(parse_segment).collect()
}

fn parse_segment(raw: &str) -> Result<String, &'static str> {
    let segment = percent::decode(raw).ok_or("it has a bad percent escape")?;
    match segment.as_ref() {
        "" => Err("it has an empty segment"),
        "." | ".." => Err("it has a dot segment"),
        text if text.contains(['{', '}']) => Err("it has a template"),
        text if text.contains(['?', '#', '\\', '/']) || text.contains(char::is_control) => {
            Err("it has a character that a path cannot carry")
        }
        text => Ok(text.to_owned()),
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str("/");
        }
        self.segments
            .iter()
            .try_for_each(|segment| write!(f, "/{}", utf8_percent_encode(segment, NOT_IN_SEGMENT)))
    }
}

impl FromStr for BasePath {
    type Err = BadBasePath;
    fn from_str(text: &str) -> Result<BasePath, BadBasePath> {
        BasePath::parse(text)
    }
}

impl TryFrom<String> for BasePath {
    type Error = BadBasePath;
    fn try_from(text: String) -> Result<BasePath, BadBasePath> {
        BasePath::parse(&text)
    }
}

impl From<BasePath> for String {
    fn from(path: BasePath) -> String {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn root_has_three_spellings() {
        for text in ["", "/"] {
            assert!(BasePath::parse(text).unwrap().is_root());
        }
        assert_eq!(BasePath::default().to_string(), "/");
        assert_eq!(BasePath::default().strip("/x"), Some("/x"));
    }

    #[test]
    fn strip_goes_by_whole_segments() {
        let base = BasePath::parse("/api/v1/").unwrap();
        assert_eq!(base.to_string(), "/api/v1");
        assert_eq!(base.strip("/api/v1"), Some("/"));
        assert_eq!(base.strip("/api/v1/"), Some("/"));
        assert_eq!(base.strip("/%61pi/v1/pets"), Some("/pets"));
        for path in ["/api/v10", "/api", "/apix/v1", "api/v1", "/api%2Fv1", ""] {
            assert_eq!(base.strip(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_not_a_base_path_is_refused() {
        for text in ["api", "//", "/a//b", "/a/../b", "/./a", "/%2e%2e/a", "/{v}", "/a%2Fb", "/a?b", "/a%zz"]
        {
            assert!(BasePath::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn display_parses_back(segments in proptest::collection::vec("[a-z %é+~-]{1,8}", 0..5)) {
            let text: String = segments.iter().map(|s| format!("/{}", utf8_percent_encode(s, NOT_IN_SEGMENT))).collect();
            let base = BasePath::parse(&text).unwrap();
            prop_assert_eq!(&BasePath::parse(&base.to_string()).unwrap(), &base);
            let path = format!("{text}/rest");
            prop_assert_eq!(base.strip(&path), Some("/rest"));
        }

        #[test]
        fn any_text_parses_or_is_refused(text in ".{0,40}", path in ".{0,40}") {
            if let Ok(base) = BasePath::parse(&text) {
                let rest = base.strip(&path);
                prop_assert!(rest.is_none_or(|rest| rest.starts_with('/')));
            }
        }
    }
}
