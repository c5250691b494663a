//! `Chain`: an error with its sources, on one line.

use std::error::Error;
use std::fmt;

/// Shows an error and everything behind it: our errors leave out their sources, so that none is said twice.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut error = self.0;
        while let Some(source) = error.source() {
            write!(f, ": {source}")?;
            error = source;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MessageError;

    #[test]
    fn the_cause_stands_behind_what_it_caused() {
        let cause = serde_json::from_str::<u8>("x").unwrap_err();
        let text = format!("message is not of the expected shape: {cause}");
        assert_eq!(Chain(&MessageError::Malformed(cause)).to_string(), text);
    }
}
