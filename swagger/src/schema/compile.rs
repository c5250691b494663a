//! Compiles lowered schemas and refuses those whose alternatives multiply without bound.

use std::sync::{Arc, Weak};

use jsonschema::{Draft, PatternOptions, ValidationOptions};
use serde_json::Value;

use super::{
    discriminator::{Choice, DISCRIMINATE},
    format,
    link::{LINK, Link},
    patterns,
    schemas::Entry,
    table::{Compiled, Table},
};

/// Compiled size of one `pattern`; the linear engine needs memory in proportion to it.
pub(crate) const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Schemas applied to one value when every reference is followed; thirty nested pairs would be a billion.
const EXPANDED_MAX: u64 = 50_000;

/// A mistake in the document: pointer and reason.
type Mistake = (String, String);

/// Compiles every entry, or reports what is wrong with each that cannot be.
pub(crate) fn compile(table: &Arc<Table>, entries: Vec<Entry>) -> Result<Vec<Compiled>, Vec<Mistake>> {
    let expansion = Expansion::of(&entries);
    let mut mistakes = expansion.excesses(&entries);
    mistakes.extend(patterns::excess(&entries));
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let options = options(&Arc::downgrade(table));
    let mut compiled = Vec::with_capacity(entries.len());
    for (entry, circular) in entries.into_iter().zip(expansion.circular) {
        match options.build(&entry.lowered) {
            Ok(validator) => compiled.push(Compiled { validator, circular }),
            Err(error) => {
                let pointer = format!("{}{}", entry.pointer, error.instance_path());
                let reason = match pointer.ends_with("/pattern") {
                    true => "the pattern cannot be compiled without backtracking: no look-around, no back-references, no huge repetitions".to_owned(),
                    false => format!("not a usable schema: {}", error.masked()),
                };
                mistakes.push((pointer, reason));
            }
        }
    }
    if mistakes.is_empty() { Ok(compiled) } else { Err(mistakes) }
}

fn options(table: &Weak<Table>) -> ValidationOptions<'static> {
    let links = table.clone();
    let choices = table.clone();
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        // No backtracking: a pattern costs time in proportion to the text, or is refused here.
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
        .should_validate_formats(true)
        .with_format(format::BYTE, format::is_base64)
        .with_keyword(LINK, move |_, value: &Value, _| {
            let index = value.as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(usize::MAX);
            Ok(Box::new(Link::new(links.clone(), index)))
        })
        .with_keyword(DISCRIMINATE, move |_, value: &Value, _| match Choice::new(&choices, value) {
            Some(choice) => Ok(Box::new(choice)),
            None => Err(jsonschema::ValidationError::schema("bad discriminator")),
        })
}

/// How many schemas each entry applies to one value, and which entries reach themselves.
struct Expansion {
    sizes: Vec<u64>,
    circular: Vec<bool>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

impl Expansion {
    fn of(entries: &[Entry]) -> Expansion {
        let mut expansion = Expansion { sizes: vec![1; entries.len()], circular: vec![false; entries.len()] };
        let mut marks = vec![Mark::New; entries.len()];
        for start in 0..entries.len() {
            expansion.walk(entries, &mut marks, start);
        }
        expansion
    }

    /// Depth first with a stack of its own: reference chains can be as long as the document.
    fn walk(&mut self, entries: &[Entry], marks: &mut [Mark], start: usize) {
        let mut stack = vec![(start, 0)];
        while let Some((index, next)) = stack.pop() {
            let (Some(entry), Some(mark)) = (entries.get(index), marks.get_mut(index)) else { continue };
            if *mark == Mark::Done {
                continue;
            }
            *mark = Mark::Open;
            let Some(child) = entry.in_place.get(next).copied() else {
                *mark = Mark::Done;
                self.settle(entry, index);
                continue;
            };
            stack.push((index, next + 1));
            match marks.get(child) {
                Some(Mark::New) => stack.push((child, 0)),
                Some(Mark::Open) => self.close_circle(child),
                _ => {}
            }
        }
    }

    fn settle(&mut self, entry: &Entry, index: usize) {
        let total = entry
            .in_place
            .iter()
            .fold(1_u64, |sum, child| sum.saturating_add(self.sizes.get(*child).copied().unwrap_or(1)));
        if let Some(size) = self.sizes.get_mut(index) {
            *size = total;
        }
    }

    /// Marks where a circle closes; every circle has such an entry, so guarding these guards all.
    fn close_circle(&mut self, child: usize) {
        if let Some(circular) = self.circular.get_mut(child) {
            *circular = true;
        }
    }

    fn excesses(&self, entries: &[Entry]) -> Vec<Mistake> {
        let sizes = entries.iter().zip(&self.sizes);
        sizes
            .filter(|(_, size)| **size > EXPANDED_MAX)
            .take(1)
            .map(|(entry, _)| {
                (
                    entry.pointer.clone(),
                    "its references multiply to too many schemas for one value".to_owned(),
                )
            })
            .collect()
    }
}
