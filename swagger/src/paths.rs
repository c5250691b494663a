//! `Paths` finds the documented path of a request: the most literal first, with backtracking.

use std::{borrow::Cow, collections::HashMap};

use crate::{
    percent,
    template::{Segment, Template},
};

/// A tree of segments. A lookup visits each of its nodes at most once, so overlaps cost no more than the tree is big.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    root: Branch,
}

#[derive(Debug, Default)]
struct Branch {
    /// The documented path that ends here.
    path: Option<usize>,
    literals: HashMap<Box<str>, Branch>,
    /// Mixed segments, then the whole-segment parameter: most literal first.
    patterns: Vec<(Segment, Branch)>,
}

/// A path found, and the raw text of its parameters.
#[derive(Debug)]
pub(crate) struct Match<'p> {
    pub(crate) path: usize,
    pub(crate) captures: Vec<Cow<'p, str>>,
}

impl Paths {
    /// Adds a path; gives back the path that already matches the same requests, if any.
    pub(crate) fn insert(&mut self, template: &Template, path: usize) -> Result<(), usize> {
        let mut branch = &mut self.root;
        for segment in &template.segments {
            branch = branch.grow(segment);
        }
        match branch.path {
            Some(taken) => Err(taken),
            None => {
                branch.path = Some(path);
                Ok(())
            }
        }
    }

    /// The documented path of a raw request path.
    pub(crate) fn find<'p>(&self, path: &'p str) -> Option<Match<'p>> {
        let mut captures = Vec::new();
        let path = self.root.find(path.strip_prefix('/'), &mut captures)?;
        Some(Match { path, captures })
    }
}

impl Branch {
    fn grow(&mut self, segment: &Segment) -> &mut Branch {
        if let Segment::Literal(text) = segment {
            return self.literals.entry(text.as_str().into()).or_default();
        }
        let place = |other: &Segment| (std::cmp::Reverse(other.literal_bytes()), other.clone());
        let at = match self.patterns.binary_search_by_key(&place(segment), |(other, _)| place(other)) {
            Ok(at) => at,
            Err(at) => {
                self.patterns.insert(at, (segment.clone(), Branch::default()));
                at
            }
        };
        &mut self.patterns[at].1
    }

    fn find<'p>(&self, rest: Option<&'p str>, captures: &mut Vec<Cow<'p, str>>) -> Option<usize> {
        let Some(rest) = rest else { return self.path };
        let (raw, tail) = match rest.split_once('/') {
            Some((raw, tail)) => (raw, Some(tail)),
            None => (rest, None),
        };
        let literal = percent::decode(raw).and_then(|segment| self.literals.get(&*segment));
        if let Some(found) = literal.and_then(|branch| branch.find(tail, captures)) {
            return Some(found);
        }
        let before = captures.len();
        for (segment, branch) in &self.patterns {
            if segment.capture(raw, captures)
                && let Some(found) = branch.find(tail, captures)
            {
                return Some(found);
            }
            captures.truncate(before);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paths(templates: &[&str]) -> Paths {
        let mut paths = Paths::default();
        for (index, text) in templates.iter().enumerate() {
            paths.insert(&Template::parse(text).unwrap(), index).unwrap();
        }
        paths
    }

    fn found(paths: &Paths, path: &str) -> Option<(usize, Vec<String>)> {
        paths.find(path).map(|found| (found.path, found.captures.into_iter().map(Cow::into_owned).collect()))
    }

    #[test]
    fn literal_beats_mixed_beats_parameter() {
        let paths = paths(&["/{id}", "/{name}.json", "/mine", "/{a}.{b}"]);
        assert_eq!(found(&paths, "/mine"), Some((2, vec![])));
        assert_eq!(found(&paths, "/m%69ne"), Some((2, vec![])));
        assert_eq!(found(&paths, "/x.json"), Some((1, vec!["x".into()])));
        assert_eq!(found(&paths, "/x.txt"), Some((3, vec!["x".into(), "txt".into()])));
        assert_eq!(found(&paths, "/x"), Some((0, vec!["x".into()])));
        assert_eq!(found(&paths, "/"), None);
        assert_eq!(found(&paths, "/x/"), None);
    }

    #[test]
    fn dead_ends_are_left_again() {
        let paths = paths(&["/a/{x}/c", "/{y}/b/d", "/"]);
        assert_eq!(found(&paths, "/a/b/c"), Some((0, vec!["b".into()])));
        assert_eq!(found(&paths, "/a/b/d"), Some((1, vec!["a".into()])));
        assert_eq!(found(&paths, "/a/b/e"), None);
        assert_eq!(found(&paths, "/"), Some((2, vec![])));
    }

    #[test]
    fn encoded_slash_stays_in_its_segment() {
        let paths = paths(&["/f/{name}", "/f/{a}/{b}"]);
        assert_eq!(found(&paths, "/f/x%2Fy"), Some((0, vec!["x%2Fy".into()])));
    }

    #[test]
    fn equal_up_to_names_is_a_conflict() {
        let mut paths = paths(&["/a/{x}"]);
        assert_eq!(paths.insert(&Template::parse("/a/{y}").unwrap(), 1), Err(0));
    }

    #[test]
    fn overlaps_do_not_multiply() {
        let templates: Vec<String> = (0..1024_u32)
            .map(|bits| {
                (0..10)
                    .map(|bit| if bits >> bit & 1 == 1 { "/a".to_owned() } else { format!("/{{p{bit}}}") })
                    .collect()
            })
            .collect();
        let paths = paths(&templates.iter().map(String::as_str).collect::<Vec<_>>());
        let started = std::time::Instant::now();
        assert_eq!(found(&paths, &format!("{}/no", "/a".repeat(10))), None);
        assert!(started.elapsed().as_millis() < 200);
    }

    proptest! {
        #[test]
        fn any_path_is_matched_or_not(path in "[/a-c{}%.]{0,30}") {
            paths(&["/{a}", "/a/{b}.{c}", "/{x}.json/b", "/a/b"]).find(&path);
        }

        #[test]
        fn what_is_built_from_a_template_matches_it(a in "[a-z]{1,5}", b in "[a-z0-9 é]{1,5}") {
            let paths = paths(&["/v/{a}/w/{b}"]);
            let encoded = percent_encoding::utf8_percent_encode(&b, percent_encoding::NON_ALPHANUMERIC).to_string();
            prop_assert_eq!(found(&paths, &format!("/v/{a}/w/{encoded}")), Some((0, vec![a, encoded])));
        }
    }
}
