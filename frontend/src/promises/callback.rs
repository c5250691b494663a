//! The address that a caller names for the result of a call it does not wait for.

use http::Uri;
use wire::egress::AllowList;

/// The header that names it.
const X_CALLBACK_URL: &str = "x-callback-url";
/// What fits into a request line everywhere.
const URL_BYTES_MAX: usize = 2_048;

/// Why a callback is refused.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    #[error("x-callback-url is there more than once")]
    Several,
    #[error("x-callback-url is not an http or https address of at most {URL_BYTES_MAX} bytes")]
    NotUrl,
    #[error("x-callback-url names a host that callbacks may not go to")]
    NotAllowed,
}

/// The callback that these headers ask for, if it is allowed.
pub(super) fn read(headers: &[(String, String)], allowed: &AllowList) -> Result<Option<String>, Refusal> {
    let mut named = headers.iter().filter(|(name, _)| name == X_CALLBACK_URL).map(|(_, value)| value);
    let Some(url) = named.next() else { return Ok(None) };
    if named.next().is_some() {
        return Err(Refusal::Several);
    }
    let uri = Some(url).filter(|url| url.len() <= URL_BYTES_MAX).and_then(|url| url.parse::<Uri>().ok());
    let uri = uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    let uri = uri.ok_or(Refusal::NotUrl)?;
    allowed.admit(&uri).map(|_target| Some(url.clone())).ok_or(Refusal::NotAllowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(url: &str) -> Result<Option<String>, Refusal> {
        let allowed = AllowList::parse(&["hooks.test".into(), "localhost:9000".into()]).unwrap();
        read(&[(X_CALLBACK_URL.into(), url.into())], &allowed)
    }

    #[test]
    fn only_addresses_on_the_list_are_taken() {
        assert_eq!(read(&[], &AllowList::default()), Ok(None));
        for url in ["https://hooks.test/x?token=1", "http://hooks.test", "http://localhost:9000/"] {
            assert_eq!(read_one(url), Ok(Some(url.to_owned())));
        }
        for url in ["https://other.test/", "http://localhost/", "http://hooks.test@other.test/"] {
            assert_eq!(read_one(url), Err(Refusal::NotAllowed), "{url}");
        }
        let long = format!("https://hooks.test/{}", "a".repeat(URL_BYTES_MAX));
        for url in ["", "/x", "hooks.test", "ftp://hooks.test/", "file:///etc/passwd", "https://", &long] {
            assert_eq!(read_one(url), Err(Refusal::NotUrl), "{url}");
        }
    }

    #[test]
    fn one_callback_is_enough() {
        let header = (X_CALLBACK_URL.to_owned(), "https://hooks.test/".to_owned());
        let allowed = AllowList::parse(&["hooks.test".into()]).unwrap();
        assert_eq!(read(&[header.clone(), header], &allowed), Err(Refusal::Several));
    }
}
