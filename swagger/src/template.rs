//! `Template` is a documented path: segments of literal text and parameters.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::percent;

/// Segments of a path template; no real document has more than thirty.
const SEGMENTS_MAX: usize = 64;

/// A longer path fits in no request line.
const PATH_BYTES_MAX: usize = 2_048;

/// A parsed path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) segments: Vec<Segment>,
    /// The parameters in the order in which they stand.
    pub(crate) names: Vec<String>,
}

/// What one segment of a path must look like. Parameters have no names here: equal patterns are equal routes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// Exactly this decoded text.
    Literal(String),
    /// Anything but nothing.
    Any,
    /// Parameters with text around them: `{a}.{b}`, `{name}.json`. One more text than there are parameters.
    Mixed(Vec<String>),
}

impl Template {
    pub(crate) fn parse(path: &str) -> Result<Template, String> {
        let rest = path.strip_prefix('/').ok_or("a path must begin with a slash")?;
        if path.contains(['?', '#']) {
            return Err("a path has no query and no fragment: requests could never match it".to_owned());
        }
        if path.len() > PATH_BYTES_MAX || rest.split('/').count() > SEGMENTS_MAX {
            return Err("the path is too long".to_owned());
        }
        let mut names = Vec::new();
        let segments = rest.split('/').map(|raw| parse_segment(raw, &mut names)).collect::<Result<_, _>>()?;
        match names
            .iter()
            .enumerate()
            .find(|(index, name)| names.iter().take(*index).any(|other| other == *name))
        {
            Some((_, name)) => Err(format!("the parameter {{{name}}} stands twice in the path")),
            None => Ok(Template { segments, names }),
        }
    }
}

fn parse_segment(raw: &str, names: &mut Vec<String>) -> Result<Segment, String> {
    let mut texts = Vec::new();
    let mut rest = raw;
    while let Some((text, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or("a brace is never closed")?;
        if name.is_empty() || name.contains('{') {
            return Err("a parameter in the path has no name".to_owned());
        }
        if !texts.is_empty() && text.is_empty() {
            return Err("two parameters touch: nothing tells where one ends".to_owned());
        }
        texts.push(literal(text)?);
        names.push(name.to_owned());
        rest = tail;
    }
    texts.push(literal(rest)?);
    Ok(match texts.len() {
        1 => Segment::Literal(texts.pop().unwrap_or_default()),
        2 if texts.iter().all(String::is_empty) => Segment::Any,
        _ => Segment::Mixed(texts),
    })
}

fn literal(text: &str) -> Result<String, String> {
    if text.contains('}') {
        return Err("a brace is never opened".to_owned());
    }
    percent::decode(text).map(Cow::into_owned).ok_or_else(|| "the path has a bad percent escape".to_owned())
}

impl Segment {
    /// How much of the segment is fixed; more goes first.
    pub(crate) fn literal_bytes(&self) -> usize {
        match self {
            Segment::Literal(_) => usize::MAX,
            Segment::Any => 0,
            Segment::Mixed(texts) => texts.iter().map(String::len).sum(),
        }
    }

    /// Matches a raw segment and adds what its parameters took, still encoded.
    pub(crate) fn capture<'p>(&self, raw: &'p str, captures: &mut Vec<Cow<'p, str>>) -> bool {
        match self {
            Segment::Literal(text) => percent::decode(raw).is_some_and(|decoded| decoded == text.as_str()),
            Segment::Any if raw.is_empty() => false,
            Segment::Any => {
                captures.push(Cow::Borrowed(raw));
                true
            }
            Segment::Mixed(texts) if raw.contains('%') => capture_encoded(texts, raw, captures),
            Segment::Mixed(texts) => {
                let before = captures.len();
                let fits = split(texts, raw, |part| captures.push(Cow::Borrowed(part)));
                if !fits {
                    captures.truncate(before);
                }
                fits
            }
        }
    }
}

/// Text is compared decoded; what the parameters took is encoded again, so that it is decoded only once later.
fn capture_encoded(texts: &[String], raw: &str, captures: &mut Vec<Cow<'_, str>>) -> bool {
    let Some(decoded) = percent::decode(raw) else { return false };
    let before = captures.len();
    let fits = split(texts, &decoded, |part| {
        captures.push(Cow::Owned(utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()));
    });
    if !fits {
        captures.truncate(before);
    }
    fits
}

/// Each parameter takes as little as it can, the last the rest; one pass, no backtracking.
fn split<'t>(texts: &[String], segment: &'t str, mut take: impl FnMut(&'t str)) -> bool {
    let (Some((first, rest)), Some(last)) = (texts.split_first(), texts.last()) else { return false };
    let Some(body) = segment.strip_prefix(first.as_str()).and_then(|body| body.strip_suffix(last.as_str()))
    else {
        return false;
    };
    let mut body = body;
    for text in rest.iter().take(rest.len().saturating_sub(1)) {
        // A parameter takes at least one character.
        let Some(first_char) = body.chars().next() else { return false };
        let Some(at) = body.get(first_char.len_utf8()..).and_then(|tail| tail.find(text.as_str())) else {
            return false;
        };
        let (part, tail) = body.split_at(at + first_char.len_utf8());
        take(part);
        body = tail.strip_prefix(text.as_str()).unwrap_or_default();
    }
    take(body);
    !body.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(template: &str, raw: &str) -> Option<Vec<String>> {
        let template = Template::parse(template).unwrap();
        let mut captures = Vec::new();
        let fits = template.segments[0].capture(raw, &mut captures);
        fits.then(|| captures.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn mixed_segments_split_at_their_text() {
        assert_eq!(captured("/{a}.{b}", "x.y.z").unwrap(), ["x", "y.z"]);
        assert_eq!(captured("/{name}.json", "a.json.json").unwrap(), ["a.json"]);
        assert_eq!(captured("/{a}-{b}.txt", "1-2.txt").unwrap(), ["1", "2"]);
        assert_eq!(captured("/{a}.{b}", "a%2Fb.x").unwrap(), ["a%2Fb", "x"]);
        for raw in [".y", "x.", "xy", "", "."] {
            assert_eq!(captured("/{a}.{b}", raw), None, "{raw}");
        }
        assert_eq!(captured("/{name}.json", ".json"), None);
        assert_eq!(captured("/aa{x}aa", "aaa"), None);
    }

    #[test]
    fn bad_templates_are_refused() {
        for path in ["", "a", "/{", "/}", "/{}", "/{a}{b}", "/{a}/{a}", "/a?b=1", "/a#b", "/{a{b}}", "/%zz"] {
            assert!(Template::parse(path).is_err(), "{path}");
        }
    }
}
