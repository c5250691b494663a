//! `Level`: how much a line of a log matters.

use std::borrow::Cow;
use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// How much a line matters, the least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Every step.
    Trace,
    /// For whoever looks for a mistake.
    Debug,
    /// What is worth knowing.
    #[default]
    Info,
    /// What may go wrong.
    Warn,
    /// What went wrong.
    Error,
}

impl Level {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// The level as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The level of this name, in any case; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text))
    }

    /// The level that a line says it has: as `level`, `severity` or `lvl` of a line of JSON, or as the word that it
    /// begins with. A word in lower case has to be marked, as in `warn: ...` or `[warn] ...`: it may be a sentence.
    pub fn said_by(line: &str) -> Option<Self> {
        let line = line.trim_start();
        if line.starts_with('{') {
            return serde_json::from_str::<Said<'_>>(line).ok()?.level();
        }
        let bare = line.trim_start_matches(['[', '(', '<']);
        let end = bare.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(bare.len());
        let (word, rest) = bare.split_at_checked(end)?;
        let is_marked = bare.len() < line.len() || rest.starts_with(':');
        let is_loud = word.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_marked || is_loud { Self::named(word) } else { None }
    }

    /// The level that goes by this name with somebody.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "trace" | "verbose" => Self::Trace,
            "debug" => Self::Debug,
            "info" | "information" | "informational" | "notice" | "log" => Self::Info,
            "warn" | "warning" => Self::Warn,
            "error" | "err" | "severe" | "fatal" | "critical" | "crit" | "alert" | "emergency" | "panic" => {
                Self::Error
            }
            _ => return None,
        })
    }
}

/// What a line of JSON says of itself, the member that counts most first.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    level: Option<Word<'a>>,
    #[serde(borrow)]
    severity: Option<Word<'a>>,
    #[serde(borrow)]
    lvl: Option<Word<'a>>,
}

/// A name, or a number as some libraries write it: 10 is a trace, 50 an error.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word<'a> {
    Name(#[serde(borrow)] Cow<'a, str>),
    Number(u64),
    Other(IgnoredAny),
}

impl Said<'_> {
    fn level(&self) -> Option<Level> {
        [&self.level, &self.severity, &self.lvl].into_iter().flatten().find_map(Word::level)
    }
}

impl Word<'_> {
    fn level(&self) -> Option<Level> {
        match self {
            Self::Name(name) => Level::named(name),
            Self::Number(number) => Some(match number {
                0..20 => Level::Trace,
                20..30 => Level::Debug,
                30..40 => Level::Info,
                40..50 => Level::Warn,
                50.. => Level::Error,
            }),
            Self::Other(IgnoredAny) => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_its_level_as_json_or_in_its_first_word() {
        for (line, level) in [
            (r#"{"level":"warn","msg":"x"}"#, Level::Warn),
            (r#"{"time":1,"severity":"CRITICAL"}"#, Level::Error),
            (r#" {"lvl":20}"#, Level::Debug),
            (r#"{"severity":"INFO","level":"error"}"#, Level::Error),
            (r#"{"level":{"of":"water"},"severity":"WARNING","lvl":10}"#, Level::Warn),
            ("ERROR no such pet", Level::Error),
            ("WARN", Level::Warn),
            ("[debug] looked", Level::Debug),
            ("Warning: full", Level::Warn),
            ("TRACE: in", Level::Trace),
        ] {
            assert_eq!(Level::said_by(line), Some(level), "{line}");
        }
    }

    #[test]
    fn a_line_that_says_nothing_has_no_level_of_its_own() {
        for line in [
            "",
            "debug mode is on",
            "warn your friends",
            "ERRORS 3",
            "{",
            "{}",
            r#"{"level":true}"#,
            "é",
            "42",
        ] {
            assert_eq!(Level::said_by(line), None, "{line}");
        }
    }
}
