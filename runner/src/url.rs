//! `Url`: the parts of a URL, some of which are for nobody's eyes.

use wire::capture::{REDACTED, REDACTED_IN_URL};

/// A URL in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Url<'u> {
    pub(crate) scheme: &'u str,
    /// Who asks, and perhaps a password.
    pub(crate) user: Option<&'u str>,
    pub(crate) host: &'u str,
    pub(crate) path: &'u str,
    pub(crate) query: Option<&'u str>,
}

impl<'u> Url<'u> {
    pub(crate) fn parse(url: &'u str) -> Self {
        let (head, query) = match url.split_once('?') {
            Some((head, query)) => (head, Some(query)),
            None => (url, None),
        };
        let (scheme, rest) = head.split_once("://").unwrap_or(("", head));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        Self { scheme, user, host, path, query }
    }

    /// What may be shown of it: users and queries may be secret.
    pub(crate) fn shown(&self) -> String {
        let Self { scheme, host, path, .. } = self;
        let mark = if scheme.is_empty() { "" } else { "://" };
        format!("{scheme}{mark}{host}{path}")
    }

    /// Whether it is this one, but for what was taken out of it.
    pub(crate) fn stands_for(&self, url: &Self) -> bool {
        (self.scheme, self.host) == (url.scheme, url.host)
            && stand_for(self.user, url.user, '@')
            && stand_for(Some(self.path), Some(url.path), '/')
            && stand_for(self.query, url.query, '&')
    }
}

/// The same of pieces between which this stands.
fn stand_for(own: Option<&str>, other: Option<&str>, between: char) -> bool {
    let (Some(own), Some(other)) = (own, other) else { return own == other };
    own == other
        || own.split(between).count() == other.split(between).count()
            && own.split(between).zip(other.split(between)).all(|(own, other)| stands_for(own, other))
}

/// The same of one piece: anything may stand where something was taken out.
fn stands_for(own: &str, other: &str) -> bool {
    let marks = || [REDACTED, REDACTED_IN_URL].into_iter();
    let begin = marks().filter_map(|mark| own.find(mark)).min();
    let end = marks().filter_map(|mark| Some(own.rfind(mark)? + mark.len())).max();
    let (Some(begin), Some(end)) = (begin, end) else { return own == other };
    let rest = other.strip_prefix(&own[..begin]);
    rest.is_some_and(|rest| rest.ends_with(&own[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_url_is_no_secret() {
        for (url, shown) in [
            ("https://me:hunter22@a.test:8443/x/@y?token=1", "https://a.test:8443/x/@y"),
            ("http://a.test?q=http://b@c/", "http://a.test"),
            ("http://a@b:c@d.test/", "http://d.test/"),
            ("/only/a/path?x", "/only/a/path"),
            ("", ""),
        ] {
            assert_eq!(Url::parse(url).shown(), shown);
        }
    }

    #[test]
    fn a_url_without_its_secrets_stands_for_the_url() {
        let stands_for = |own: &str, other: &str| Url::parse(own).stands_for(&Url::parse(other));
        for (own, other) in [
            ("https://%5Bredacted%5D@a.test", "https://me:hunter22@a.test"),
            ("http://a.test/x/%5Bredacted%5D/y", "http://a.test/x/[redacted]/y"),
            ("http://a.test/x/of-%5Bredacted%5D.json?a", "http://a.test/x/of-hunter22.json?a"),
            ("http://a.test/?a=b-[redacted]&c=%5Bredacted%5D", "http://a.test/?a=b-1&c="),
        ] {
            assert!(stands_for(own, other), "{own} {other}");
        }
        for (own, other) in [
            ("https://%5Bredacted%5D@a.test", "https://a.test"),
            ("http://a.test/%5Bredacted%5D", "http://a.test/x/y"),
            ("http://a.test/%5Bredacted%5D", "http://b.test/x"),
            ("http://a.test/x/of-%5Bredacted%5D.json", "http://a.test/x/hunter22.json"),
            ("http://a.test/?a=[redacted]", "http://a.test/?a=1&a=2"),
        ] {
            assert!(!stands_for(own, other), "{own} {other}");
        }
    }
}
