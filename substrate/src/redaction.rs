//! `Redaction`: what a failed runner or an engine said, without what the operator keeps secret.

use crate::Template;

/// More is a log, not a reason.
const CHARACTERS_MAX: usize = 300;
/// Shorter values are found in any text.
const SECRET_LEN_MIN: usize = 4;

/// Knows the values of a template's variables, and the passwords in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redaction(Vec<String>);

impl Redaction {
    pub(crate) fn of(template: &Template) -> Self {
        let values = template.environment.iter().map(|(_name, value)| value.as_str());
        let mut secrets: Vec<String> =
            values.flat_map(|value| [Some(value), password(value)]).flatten().map(str::to_owned).collect();
        secrets.retain(|secret| secret.len() >= SECRET_LEN_MIN);
        // What holds another one goes first, or some of it would be left.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// One line, not too long, of which nothing can be used.
    pub(crate) fn apply(&self, text: &str) -> String {
        let line = text.trim().replace(|letter: char| letter.is_control(), " ");
        let clean = self.0.iter().fold(line, |line, secret| line.replace(secret.as_str(), "***"));
        clean.chars().take(CHARACTERS_MAX).collect()
    }
}

/// What stands between `user:` and `@` of a URL.
fn password(value: &str) -> Option<&str> {
    let (_scheme, rest) = value.split_once("://")?;
    let (user, _host) = rest.split('/').next()?.rsplit_once('@')?;
    user.split_once(':').map(|(_name, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tests::template;

    #[test]
    fn values_and_the_passwords_in_them_are_left_out() {
        let redaction = Redaction::of(&template());
        let said =
            redaction.apply("  login runner:secret at amqp://runner:secret@rabbit/f\u{1b}[0m failed\n");
        assert_eq!(said, "login runner:*** at *** [0m failed");
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(Redaction::default().apply(&"é".repeat(1_000)).chars().count(), CHARACTERS_MAX);
    }
}
