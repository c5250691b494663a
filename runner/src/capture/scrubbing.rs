//! `Scrubbing`: remembers secrets that were taken out, in every form in which somebody may have repeated them.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use wire::capture::{CaptureEntry, REDACTED, REDACTED_IN_URL};

use super::sponge::Sponge;

/// A shorter text stands in too many places to say where it is the secret one.
const LEN_MIN: usize = 4;
/// The same for a part of credentials, which is less sure to be secret: a cookie may say which theme somebody likes.
const PART_LEN_MIN: usize = 8;
/// The same for a parameter of credentials, most of which are not.
const PARAMETER_LEN_MIN: usize = 16;
/// Texts that are looked for in one call, and their bytes: who has more has a list of secrets, and to look for each
/// takes longer than the call did.
const TEXTS_MAX: usize = 256;
const BYTES_MAX: usize = 64 << 10;

/// What everybody writes as `%XX`, and what JavaScript does.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const ENCODED_BY_SCRIPTS: &AsciiSet =
    &ENCODED.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');

/// Secrets that were taken out.
#[derive(Debug, Default)]
pub(super) struct Scrubbing {
    texts: HashSet<String>,
    bytes: usize,
    /// Whether there were more than are looked for.
    is_over: bool,
}

impl Scrubbing {
    pub(super) fn add(&mut self, secret: &str) {
        // Who redacts what was redacted before finds this.
        if secret.len() < LEN_MIN || secret == REDACTED || secret == REDACTED_IN_URL {
            return;
        }
        self.remember(secret.to_owned());
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if secret.bytes().all(is_plain) {
            // It is written alike everywhere.
            return;
        }
        let in_json = serde_json::Value::from(secret).to_string();
        self.remember(in_json[1..in_json.len() - 1].to_owned());
        for encoded in [ENCODED, ENCODED_BY_SCRIPTS] {
            let in_url = utf8_percent_encode(secret, encoded).to_string();
            self.remember(in_url.replace("%20", "+"));
            self.remember(in_url);
        }
    }

    /// Adds what stands in a URL.
    pub(super) fn add_encoded(&mut self, secret: &str) {
        self.add(secret);
        if let Ok(decoded) = percent_decode_str(secret).decode_utf8() {
            self.add(&decoded);
        }
        if secret.contains('+') {
            self.add_encoded(&secret.replace('+', " "));
        }
    }

    /// Adds a user with a password.
    pub(super) fn add_user(&mut self, user: &str) {
        self.add_encoded(user);
        if let Some((name, password)) = user.split_once(':') {
            self.add_part(name);
            self.add_encoded(password);
        }
    }

    /// Adds the value of a header, and what of it is secret by itself.
    pub(super) fn add_header(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("cookie") {
            value.split(';').for_each(|cookie| self.add_cookie(cookie));
        } else if name.eq_ignore_ascii_case("set-cookie") {
            // What follows says what it is for.
            self.add_cookie(value.split(';').next().unwrap_or_default());
        } else {
            self.add_credentials(value);
        }
    }

    fn add_cookie(&mut self, cookie: &str) {
        let value = cookie.split_once('=').map_or(cookie, |(_, value)| value);
        self.add_part(value.trim().trim_matches('"'));
    }

    /// Adds a key, or a scheme and what it is given.
    fn add_credentials(&mut self, value: &str) {
        self.add(value);
        let Some((scheme, given)) = value.trim().split_once(' ') else { return };
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(user) = STANDARD.decode(given.trim())
            && let Ok(user) = String::from_utf8(user)
        {
            self.add_user(&user);
        }
        if !given.contains([' ', ',']) {
            return self.add(given);
        }
        for parameter in given.split([' ', ',', ';']) {
            let value = parameter.split_once('=').map_or(parameter, |(_, value)| value);
            if parameter.len() >= PARAMETER_LEN_MIN {
                self.add(parameter);
            }
            if value.len() >= PARAMETER_LEN_MIN {
                self.add(value.trim_matches('"'));
            }
        }
    }

    fn add_part(&mut self, part: &str) {
        if part.len() >= PART_LEN_MIN {
            self.add_encoded(part);
        }
    }

    fn remember(&mut self, text: String) {
        if self.is_over || self.texts.contains(&text) {
            return;
        }
        self.bytes += text.len();
        self.is_over = self.texts.len() == TEXTS_MAX || self.bytes > BYTES_MAX;
        if !self.is_over {
            self.texts.insert(text);
        }
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty() && !self.is_over
    }

    /// Takes them out of everything, and notes where they were.
    pub(super) fn scrub(self, entry: &mut CaptureEntry, redacted: &mut Vec<String>) {
        Sponge::new(&self.texts, self.is_over).wipe(entry, redacted);
    }
}
