//! `Difference`: one place in which an answer is not the one before.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::noise::Places;
use crate::shown::{self, shown};

/// Differences told of one answer: who sees as many knows enough.
const DIFFERENCES_MAX: usize = 100;
/// Differences in a summary.
const SUMMARY_MAX: usize = 3;

/// One place in which an answer is not the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where.
    pub place: Place,
    /// What was there, shortened; nothing if it is new. Neither is told of a secret.
    pub expected: Option<String>,
    /// What is there, shortened; nothing if it is gone.
    pub actual: Option<String>,
}

/// A place in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The status.
    Status,
    /// The header of this name, in lower case.
    Header(String),
    /// A part of the body, or all of it.
    Body(Vec<Step>),
}

/// A step into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// To the member of this name.
    Member(String),
    /// To the item at this place.
    Item(usize),
    /// To each item.
    EachItem,
}

impl Place {
    /// The same place in each item of a list: what differs in one may in all.
    #[must_use]
    pub fn in_each_item(&self) -> Self {
        let step = |step: &Step| if let Step::Item(_) = step { Step::EachItem } else { step.clone() };
        match self {
            Self::Body(steps) => Self::Body(steps.iter().map(step).collect()),
            other => other.clone(),
        }
    }
}

/// The JSON pointer to where these steps lead.
pub(crate) fn pointer(steps: &[Step]) -> String {
    steps.iter().map(|step| format!("/{}", step.token())).collect()
}

impl Step {
    fn token(&self) -> String {
        match self {
            Self::Member(name) => name.replace('~', "~0").replace('/', "~1"),
            Self::Item(index) => index.to_string(),
            Self::EachItem => "*".to_owned(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status => f.write_str("status"),
            Self::Header(name) => write!(f, "headers.{}", shown(name)),
            Self::Body(steps) => {
                f.write_str("body")?;
                steps.iter().try_for_each(|step| write!(f, "/{}", shown(&step.token())))
            }
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, expected, actual } = self;
        match (expected, actual) {
            (Some(expected), Some(actual)) => write!(f, "{place}: {expected} became {actual}"),
            (Some(expected), None) => write!(f, "{place}: {expected} is gone"),
            (None, Some(actual)) => write!(f, "{place}: {actual} is new"),
            (None, None) => write!(f, "{place}: differs"),
        }
    }
}

/// The first of these differences in one line, and how many there are beside them.
pub fn summary(differences: &[Difference]) -> String {
    let told: Vec<String> = differences.iter().take(SUMMARY_MAX).map(ToString::to_string).collect();
    match differences.len().saturating_sub(SUMMARY_MAX) {
        0 => told.join("; "),
        more => format!("{}; and {more} more", told.join("; ")),
    }
}

/// What was found so far, up to a bound. What differs anyway never gets here.
#[derive(Debug, Default)]
pub(crate) struct Found<'n> {
    noise: Places<'n>,
    differences: Vec<Difference>,
}

impl<'n> Found<'n> {
    /// Nothing yet.
    pub(crate) fn passing_over(noise: Places<'n>) -> Self {
        Self { noise, differences: Vec::new() }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.differences.len() >= DIFFERENCES_MAX
    }

    pub(crate) fn texts(
        &mut self,
        place: Place,
        expected: Option<&dyn fmt::Display>,
        actual: Option<&dyn fmt::Display>,
    ) {
        let text = |value: Option<&dyn fmt::Display>| value.map(|value| shown(&value.to_string()));
        self.add(place, || (text(expected), text(actual)));
    }

    /// A part of a body, and unless it is secret, what is there.
    pub(crate) fn values(
        &mut self,
        steps: &[Step],
        expected: Option<&Value>,
        actual: Option<&Value>,
        is_secret: impl FnOnce() -> bool,
    ) {
        let place = Place::Body(steps.to_vec());
        self.add(place, || match is_secret() {
            true => (None, None),
            false => (expected.map(shown::json), actual.map(shown::json)),
        });
    }

    /// A place of which nobody is told what is there.
    pub(crate) fn secret(&mut self, place: Place) {
        self.add(place, || (None, None));
    }

    fn add(&mut self, place: Place, values: impl FnOnce() -> (Option<String>, Option<String>)) {
        if !self.is_full() && !self.noise.cover(&place) {
            let (expected, actual) = values();
            self.differences.push(Difference { place, expected, actual });
        }
    }

    pub(crate) fn into_differences(self) -> Vec<Difference> {
        self.differences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_in_one_harmless_line() {
        let mut found = Found::default();
        found.texts(Place::Status, Some(&200), Some(&500));
        found.texts(Place::Header("location".to_owned()), Some(&"/a\u{1b}[2J"), None);
        let steps = [Step::Member("a/b\n".to_owned()), Step::Item(3)];
        found.values(&steps, None, Some(&Value::from("x".repeat(1_000))), || false);
        found.values(&[], Some(&Value::Null), Some(&Value::Bool(true)), || false);
        let told = summary(&found.into_differences());
        assert!(
            told.starts_with("status: 200 became 500; headers.location: /a\\u{1b}[2J is gone; "),
            "{told}"
        );
        assert!(
            told.contains("body/a~1b\\u{a}/3: \"xxx") && told.ends_with("…\" is new; and 1 more"),
            "{told}"
        );
        assert!(told.len() < 400 && !told.contains(char::is_control), "{told}");
    }
}
