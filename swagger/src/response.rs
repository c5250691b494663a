//! `Response` is one documented answer of an operation, and the check of an answer against it.

use crate::{Fault, Location, media::Content, parameter::Parameter, style::Encoding};

/// A documented answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) statuses: Statuses,
    pub(crate) content: Content,
    pub(crate) headers: Vec<Parameter>,
}

/// The statuses that a documented answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statuses {
    /// `200`
    Exact(u16),
    /// `2XX`
    Range(u16),
    /// `default`
    Default,
}

impl Statuses {
    pub(crate) fn parse(text: &str) -> Option<Statuses> {
        if text == "default" {
            return Some(Statuses::Default);
        }
        if let Some(hundred) = text.strip_suffix("XX").or_else(|| text.strip_suffix("xx")) {
            return hundred.parse().ok().filter(|hundred| (1..=5).contains(hundred)).map(Statuses::Range);
        }
        text.parse().ok().filter(|status| (100..=599).contains(status)).map(Statuses::Exact)
    }

    /// How exactly it fits: exact before range before default.
    fn fit(self, status: u16) -> Option<u8> {
        match self {
            Statuses::Exact(own) => (own == status).then_some(3),
            Statuses::Range(hundred) => (status / 100 == hundred).then_some(2),
            Statuses::Default => Some(1),
        }
    }
}

/// The documented answer for a status.
pub(crate) fn pick(responses: &[Response], status: u16) -> Option<&Response> {
    let fits = responses.iter().filter_map(|response| Some((response.statuses.fit(status)?, response)));
    fits.max_by_key(|(fit, _)| *fit).map(|(_, response)| response)
}

impl Response {
    pub(crate) fn check(
        &self,
        status: u16,
        is_head: bool,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Vec<Fault> {
        let mut faults = self.check_head(headers);
        self.check_body(status, is_head, header(headers, "content-type"), body, &mut faults);
        faults
    }

    /// Whether a body with these headers is documented, and nothing about its bytes.
    pub(crate) fn is_unread(&self, headers: &[(String, String)]) -> bool {
        let Some(content_type) = header(headers, "content-type") else { return false };
        self.content.pick(content_type).is_some_and(|media| !media.reads(content_type))
    }

    pub(crate) fn check_head(&self, headers: &[(String, String)]) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.check_headers(headers, &mut faults);
        faults
    }

    fn check_headers(&self, headers: &[(String, String)], faults: &mut Vec<Fault>) {
        for documented in &self.headers {
            match header(headers, &documented.name) {
                Some(value) => drop(documented.read(value, Encoding::Plain, faults)),
                None if documented.required => faults.push(documented.fault("is required")),
                None => {}
            }
        }
    }

    fn check_body(
        &self,
        status: u16,
        is_head: bool,
        content_type: Option<&str>,
        body: &[u8],
        faults: &mut Vec<Fault>,
    ) {
        if self.content.media.is_empty() || is_head || matches!(status, 204 | 205 | 304) {
            return;
        }
        if body.is_empty() {
            let expected = self.content.media.iter().any(|media| media.schema.is_some());
            if expected && (200..300).contains(&status) {
                faults.push(Fault::new(
                    Location::Response,
                    "",
                    "the body is empty, but a schema is documented",
                ));
            }
            return;
        }
        let Some(content_type) = content_type else {
            faults.push(Fault::new(Location::Header, "/content-type", "is missing"));
            return;
        };
        match self.content.pick(content_type) {
            Some(media) => media.check(content_type, body, Location::Response, faults),
            None => {
                let reason =
                    format!("is not documented for this status; documented: {}", self.content.accepted());
                faults.push(Fault::new(Location::Header, "/content-type", reason));
            }
        }
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_exact_a_range_or_default() {
        assert_eq!(Statuses::parse("200"), Some(Statuses::Exact(200)));
        assert_eq!(Statuses::parse("4XX"), Some(Statuses::Range(4)));
        assert_eq!(Statuses::parse("default"), Some(Statuses::Default));
        for text in ["", "XX", "20", "2X0", "99", "6XX", "600"] {
            assert!(Statuses::parse(text).is_none(), "{text}");
        }
    }
}
