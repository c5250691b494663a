//! `Needles`: texts that are looked for in many others, in a time that does not depend on what either holds.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, Input, MatchKind};
use memchr::memmem::Finder;

/// What is shorter is found only where it is a word: it may be a part of many.
pub(super) const WORD_LEN_MAX: usize = 7;
/// Bytes of a text that are looked for; the rest is compared when they are there. Who looks for all of it may have to
/// read that far from every place.
const HEAD_BYTES: usize = 64;
/// As many are looked for one by one, which finds nothing sooner than it takes to get ready for all at once.
const FEW: usize = 32;

/// Texts that are looked for.
pub(super) struct Needles<'t> {
    /// Those that begin alike, by how they do.
    heads: BTreeMap<&'t str, Vec<&'t str>>,
    few: Vec<Finder<'t>>,
    /// Finds all at once: made when it is known that there is one, as mostly there is none.
    all: OnceCell<Result<AhoCorasick, BuildError>>,
}

/// They are more than can be looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooMany;

impl<'t> Needles<'t> {
    pub(super) fn new(texts: &'t HashSet<String>) -> Self {
        let mut heads: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for text in texts {
            heads.entry(head(text)).or_default().push(text);
        }
        let few =
            if heads.len() > FEW { Vec::new() } else { heads.keys().copied().map(Finder::new).collect() };
        Self { heads, few, all: OnceCell::new() }
    }

    /// Where they stand in these bytes, none of them within another.
    pub(super) fn found_in(&self, bytes: &[u8]) -> Result<Vec<Range<usize>>, TooMany> {
        let mut found = Vec::new();
        if !self.few.is_empty() && self.few.iter().all(|head| head.find(bytes).is_none()) {
            return Ok(found);
        }
        let all = self.all.get_or_init(|| {
            AhoCorasick::builder()
                // Of two that begin in one place, the longer one.
                .match_kind(MatchKind::LeftmostLongest)
                // The one that is made soonest: it is for one call.
                .kind(Some(AhoCorasickKind::NoncontiguousNFA))
                .build(self.heads.keys())
        });
        // It cannot be made of what is far beyond our sizes.
        let all = all.as_ref().map_err(|_too_large| TooMany)?;
        let texts: Vec<&Vec<&str>> = self.heads.values().collect();
        let mut from = 0;
        while let Some(head) = all.find(Input::new(bytes).range(from..)) {
            let alike = texts.get(head.pattern().as_usize()).map_or(&[][..], |texts| texts);
            let more = alike.iter().map(|text| common_len(text, &bytes[head.start()..])).max();
            let place = head.start()..head.end().max(head.start() + more.unwrap_or_default());
            from = place.start + 1;
            if let Some(place) = self.standing(bytes, place) {
                from = place.end;
                found.push(place);
            }
        }
        Ok(found)
    }

    /// The place itself, or that of a shorter text that begins there and is a word where the longer one is none.
    fn standing(&self, bytes: &[u8], place: Range<usize>) -> Option<Range<usize>> {
        if place.len() > WORD_LEN_MAX || is_word(bytes, &place) {
            return Some(place);
        }
        let mut shorter = (place.start + 1..place.end).rev().map(|end| place.start..end);
        let is_one = |place: &Range<usize>| {
            let text = std::str::from_utf8(&bytes[place.clone()]);
            text.is_ok_and(|text| self.heads.contains_key(text)) && is_word(bytes, place)
        };
        shorter.find(is_one)
    }
}

fn head(text: &str) -> &str {
    let ends = (0..=HEAD_BYTES.min(text.len())).rev();
    ends.filter_map(|end| text.get(..end)).next().unwrap_or(text)
}

/// How much of a text stands at the beginning of these bytes, in whole letters: somebody may have cut it off.
fn common_len(text: &str, bytes: &[u8]) -> usize {
    let len = text.bytes().zip(bytes).take_while(|(own, other)| own == *other).count();
    (0..=len).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default()
}

/// Whether no letter or digit is next to it.
fn is_word(bytes: &[u8], place: &Range<usize>) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let before = place.start.checked_sub(1).and_then(|at| bytes.get(at));
    !before.is_some_and(is_letter) && !bytes.get(place.end).is_some_and(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'b>(texts: &[&str], bytes: &'b str) -> Vec<&'b str> {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        let places = Needles::new(&texts).found_in(bytes.as_bytes()).unwrap();
        places.into_iter().map(|place| &bytes[place]).collect()
    }

    #[test]
    fn the_longest_is_found_and_the_short_ones_as_words() {
        assert_eq!(found(&["hunter22", "hunter22-hunter"], "hunter22-hunters"), ["hunter22-hunter"]);
        assert_eq!(
            found(&["1234", "1234-abcd"], "1234, 12345, x1234-abcd, 1234é, (1234)"),
            ["1234", "1234-abcd", "1234"]
        );
        assert_eq!(found(&["1234", "1234-a"], "1234-ab 1234-a 51234-a"), ["1234", "1234-a"]);
        assert!(found(&["hunter22"], "").is_empty());
    }

    #[test]
    fn a_long_one_is_found_to_its_end_or_as_far_as_it_goes() {
        let (long, other) = ("é".repeat(100), format!("{}x", "é".repeat(60)));
        assert_eq!(found(&[&long, &other], &format!("a{long}b{other}y")), [&*long, &*other]);
        let cut = "é".repeat(90);
        assert_eq!(found(&[&long], &format!("{cut}…")), [cut]);
        assert!(found(&[&long], &"é".repeat(20)).is_empty());
    }

    #[test]
    fn many_are_found_as_few_are() {
        let texts: Vec<String> = (100..200).map(|number| format!("secret-{number}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(found(&texts, "secret-99 secret-150 secret-1990"), ["secret-150", "secret-199"]);
    }
}
