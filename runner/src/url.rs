//! `Url`: the parts of a URL, some of which are for nobody's eyes.

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
}
