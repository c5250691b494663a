//! `Filter`: which calls somebody wants, by what they came to, such as `status>=500`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Activation;

/// What a filter looks at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    status: u16,
    method: &'a str,
    path: &'a str,
    operation: Option<&'a str>,
    request_id: &'a str,
    took: Duration,
}

impl<'a> Subject<'a> {
    /// What a record says.
    pub fn of(activation: &'a Activation) -> Self {
        Self {
            status: activation.status,
            method: &activation.method,
            path: &activation.path,
            operation: activation.operation.as_deref(),
            request_id: activation.request_id.as_str(),
            took: Duration::from_micros(activation.service_us),
        }
    }
}

/// One condition. Of several, all have to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Filter {
    field: Field,
    comparison: Comparison,
    text: String,
    /// The same as a number: a status, or microseconds.
    number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Status,
    Took,
    Method,
    Path,
    Operation,
    Id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    AtLeast,
    AtMost,
    Unequal,
    Equal,
    Over,
    Under,
}

/// The text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no filter: write status>=500, took>100ms, operation=getPet, method!=GET, path=/pets/1 or id=..."
)]
pub struct BadFilter(String);

impl Field {
    const ALL: [(&'static str, Self); 6] = [
        ("status", Self::Status),
        ("took", Self::Took),
        ("method", Self::Method),
        ("path", Self::Path),
        ("operation", Self::Operation),
        ("id", Self::Id),
    ];

    fn is_number(self) -> bool {
        matches!(self, Self::Status | Self::Took)
    }
}

impl Comparison {
    /// Those of two characters first: they begin with those of one.
    const ALL: [(&'static str, Self); 6] = [
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        ("!=", Self::Unequal),
        ("=", Self::Equal),
        (">", Self::Over),
        ("<", Self::Under),
    ];

    fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::AtLeast => left >= right,
            Self::AtMost => left <= right,
            Self::Unequal => left != right,
            Self::Equal => left == right,
            Self::Over => left > right,
            Self::Under => left < right,
        }
    }
}

impl Filter {
    /// Whether the call is wanted.
    pub fn takes(&self, subject: &Subject<'_>) -> bool {
        let text = match self.field {
            Field::Status => return self.comparison.holds(&u64::from(subject.status), &self.number),
            Field::Took => return self.comparison.holds(&micros(subject.took), &self.number),
            Field::Method => subject.method,
            Field::Path => subject.path,
            Field::Operation => subject.operation.unwrap_or_default(),
            Field::Id => subject.request_id,
        };
        self.comparison.holds(&text, &self.text.as_str())
    }
}

impl FromStr for Filter {
    type Err = BadFilter;

    fn from_str(text: &str) -> Result<Self, BadFilter> {
        read(text).ok_or_else(|| BadFilter(text.to_owned()))
    }
}

fn read(text: &str) -> Option<Filter> {
    let at = text.find(['<', '>', '=', '!'])?;
    let (name, rest) = text.split_at_checked(at)?;
    let (_, field) = Field::ALL.into_iter().find(|(known, _)| *known == name.trim())?;
    let (sign, comparison) = Comparison::ALL.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
    let text = rest.strip_prefix(sign)?.trim();
    let is_ordered = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
    if text.is_empty() || is_ordered && !field.is_number() {
        return None;
    }
    let number = match field {
        Field::Status => text.parse().ok()?,
        Field::Took => duration_us(text)?,
        _ => 0,
    };
    Some(Filter { field, comparison, text: text.to_owned(), number })
}

fn duration_us(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits)? {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Field::ALL.iter().find(|(_, field)| *field == self.field).map_or("", |(name, _)| name);
        let sign =
            Comparison::ALL.iter().find(|(_, sign)| *sign == self.comparison).map_or("", |(sign, _)| sign);
        write!(f, "{name}{sign}{}", self.text)
    }
}

impl TryFrom<String> for Filter {
    type Error = BadFilter;

    fn try_from(text: String) -> Result<Self, BadFilter> {
        text.parse()
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject<'_> = Subject {
        status: 503,
        method: "GET",
        path: "/a",
        operation: Some("getA"),
        request_id: "r1",
        took: Duration::from_millis(20),
    };

    #[test]
    fn a_filter_takes_what_it_says() {
        for (text, expected) in [
            ("status>=500", true),
            ("status < 500", false),
            ("status=503", true),
            ("took>19ms", true),
            ("took<=1s", true),
            ("took>20000us", false),
            ("method!=POST", true),
            ("operation=getA", true),
            ("operation!=getA", false),
            ("path=/a", true),
            ("id=r2", false),
        ] {
            assert_eq!(text.parse::<Filter>().unwrap().takes(&SUBJECT), expected, "{text}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for text in ["", "status", "status>=", "status>=abc", "took>5", "method>GET", "colour=red", "=5"] {
            assert!(text.parse::<Filter>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_filter_is_written_as_it_is_read() {
        for text in ["status>=500", "took>100ms", "operation!=getA"] {
            assert_eq!(text.parse::<Filter>().unwrap().to_string(), text);
        }
    }
}
