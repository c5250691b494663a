//! `GivenUp`: why and when a message was given up, as it travels with a dead letter.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Why and when a message was given up. As text it is the reason on a dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// Why it is not tried again.
    pub reason: String,
    /// When that was decided; unknown when nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How often the call was begun, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// How the last attempt ended, as far as anybody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

impl GivenUp {
    /// Given up now, for this reason.
    pub fn now(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), at: Some(Timestamp::now()), attempts: None, last_error: None }
    }

    /// The same after this many attempts, the last of which ended like this.
    #[must_use]
    pub fn after(mut self, attempts: u32, last_error: impl Into<String>) -> Self {
        self.attempts = Some(attempts);
        self.last_error = Some(last_error.into());
        self
    }

    /// Reads what a dead letter says; words of anybody else are the reason as they are.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self {
            reason: text.to_owned(),
            at: None,
            attempts: None,
            last_error: None,
        })
    }
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Texts and numbers can always be written.
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_letter_says_is_read_back() {
        let why = GivenUp::now("it was cut off").after(3, "the runner \"went\"\naway");
        assert_eq!(GivenUp::read(&why.to_string()), why);
    }

    #[test]
    fn plain_words_are_a_reason() {
        let why = GivenUp::read("message is empty");
        assert_eq!((why.reason.as_str(), why.at, why.attempts), ("message is empty", None, None));
    }
}
