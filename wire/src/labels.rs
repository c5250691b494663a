//! `Labels`: what a runner is said to have, and what a Func asks of a runner.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// More of them describe a machine, not what Funcs need of it.
const LABELS_MAX: usize = 32;

/// Names with values, such as `gpu=true`. A runner has some; a Func asks for some.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Labels(BTreeMap<String, String>);

/// Why these are no labels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLabels {
    /// There is no `=` in it.
    #[error("{0:?} is not name=value")]
    NoPair(String),
    /// A name or a value is not short and plain.
    #[error("{0:?} must be 1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-'")]
    BadText(String),
    /// A name is there twice.
    #[error("{0:?} is there twice")]
    Twice(String),
    /// There are more than anybody needs.
    #[error("there are over {LABELS_MAX} labels")]
    TooMany,
}

impl Labels {
    /// The labels of these pairs.
    ///
    /// # Errors
    /// When one of them is none, or there are too many.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, BadLabels> {
        let mut labels = BTreeMap::new();
        for (name, value) in pairs {
            if let Some(bad) = [&name, &value].into_iter().find(|text| !is_plain(text)) {
                return Err(BadLabels::BadText(bad.clone()));
            }
            if let Some(_before) = labels.insert(name.clone(), value) {
                return Err(BadLabels::Twice(name));
            }
            if labels.len() > LABELS_MAX {
                return Err(BadLabels::TooMany);
            }
        }
        Ok(Self(labels))
    }

    /// Whether everything that is asked for is here. Nothing is asked for by no labels.
    pub fn include(&self, asked: &Self) -> bool {
        asked.0.iter().all(|(name, value)| self.0.get(name) == Some(value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// As `a=b,c=d`.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value}")?;
        }
        Ok(())
    }
}

/// From `a=b,c=d`; from nothing, none.
impl FromStr for Labels {
    type Err = BadLabels;
    fn from_str(text: &str) -> Result<Self, BadLabels> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').ok_or_else(|| BadLabels::NoPair(pair.to_owned()))?;
            Ok((name.to_owned(), value.to_owned()))
        });
        Self::new(pairs.collect::<Result<Vec<_>, BadLabels>>()?)
    }
}

impl TryFrom<BTreeMap<String, String>> for Labels {
    type Error = BadLabels;
    fn try_from(labels: BTreeMap<String, String>) -> Result<Self, BadLabels> {
        Self::new(labels)
    }
}

impl From<Labels> for BTreeMap<String, String> {
    fn from(labels: Labels) -> Self {
        labels.0
    }
}

/// Short and plain enough for a name on every engine that runs containers.
fn is_plain(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Labels {
        text.parse().unwrap()
    }

    #[test]
    fn a_runner_has_to_have_everything_that_is_asked_for() {
        let runner = labels("gpu=true,zone=a");
        for asked in ["", "gpu=true", "zone=a", "zone=a,gpu=true"] {
            assert!(runner.include(&labels(asked)), "{asked}");
        }
        for asked in ["gpu=false", "gpu=true,ssd=true", "GPU=true"] {
            assert!(!runner.include(&labels(asked)), "{asked}");
        }
        assert!(!labels("").include(&labels("gpu=true")));
    }

    #[test]
    fn they_are_written_as_they_are_read() {
        assert_eq!(labels(" zone=a, gpu=true,").to_string(), "gpu=true,zone=a");
        assert_eq!(serde_json::to_string(&labels("b=1,a=2")).unwrap(), r#"{"a":"2","b":"1"}"#);
    }

    #[test]
    fn what_is_no_label_is_refused() {
        for text in ["gpu", "=true", "gpu=", "a=b c", "a=b\nc", "a=b,a=c", "é=1"] {
            assert!(text.parse::<Labels>().is_err(), "{text}");
        }
        let many = (0..=LABELS_MAX).map(|n| format!("n{n}=1")).collect::<Vec<_>>().join(",");
        assert_eq!(many.parse::<Labels>(), Err(BadLabels::TooMany));
        assert!(serde_json::from_str::<Labels>(r#"{"a": "/etc"}"#).is_err());
    }
}
