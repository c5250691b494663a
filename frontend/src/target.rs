//! Which paths and queries are clean: each then means the same to every reader.

/// What is wrong with a target.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Unclean {
    #[error("the path does not start with /")]
    Relative,
    #[error("the target has a byte that must be percent-encoded")]
    RawByte,
    #[error("the target has a percent sign that encodes nothing")]
    Percent,
    #[error("the path encodes a zero byte")]
    Zero,
    #[error("the path has an empty segment")]
    EmptySegment,
    #[error("the path has a segment that means . or ..")]
    DotSegment,
}

/// Checks a path. Segments are split before they are decoded, so that `%2F` stays data.
pub(crate) fn check_path(path: &str) -> Result<(), Unclean> {
    let segments = path.strip_prefix('/').ok_or(Unclean::Relative)?;
    if path.contains('\\') {
        return Err(Unclean::RawByte);
    }
    check_bytes(path)?;
    if path.contains("%00") {
        return Err(Unclean::Zero);
    }
    if path.contains("//") {
        return Err(Unclean::EmptySegment);
    }
    if segments.split('/').any(is_dots) { Err(Unclean::DotSegment) } else { Ok(()) }
}

/// Checks a query. Its backslashes are left alone, since browsers send them as they are, and so are its
/// encoded zero bytes: they choose nothing, and whether they are welcome is for the document to say.
pub(crate) fn check_query(query: &str) -> Result<(), Unclean> {
    check_bytes(query)
}

fn check_bytes(text: &str) -> Result<(), Unclean> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => match (bytes.next(), bytes.next()) {
                (Some(high), Some(low)) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {}
                _ => return Err(Unclean::Percent),
            },
            // A fragment is never sent: whoever puts one in means to confuse.
            b'#' | ..=b' ' | 0x7f.. => return Err(Unclean::RawByte),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a segment decodes to `.` or `..`.
fn is_dots(segment: &str) -> bool {
    let mut rest = segment.as_bytes();
    let mut dots = 0;
    while let Some(after) =
        rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b"%2e")).or_else(|| rest.strip_prefix(b"%2E"))
    {
        rest = after;
        dots += 1;
    }
    rest.is_empty() && (dots == 1 || dots == 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn clean_paths_pass() {
        for path in
            ["/", "/a", "/a/", "/a/b.c/...", "/%2F/%2f..", "/a%20b/~x;y=1,2@:!$&'()*+", "/.well-known/x"]
        {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn unclean_paths_are_refused() {
        for (path, expected) in [
            ("", Unclean::Relative),
            ("a", Unclean::Relative),
            ("*", Unclean::Relative),
            ("//", Unclean::EmptySegment),
            ("//a", Unclean::EmptySegment),
            ("/a//", Unclean::EmptySegment),
            ("/a//b", Unclean::EmptySegment),
            ("/.", Unclean::DotSegment),
            ("/..", Unclean::DotSegment),
            ("/a/../b", Unclean::DotSegment),
            ("/a/./b", Unclean::DotSegment),
            ("/a/%2e%2E/b", Unclean::DotSegment),
            ("/a/.%2e", Unclean::DotSegment),
            ("/a\\..\\b", Unclean::RawByte),
            ("/a b", Unclean::RawByte),
            ("/a\tb", Unclean::RawByte),
            ("/ä", Unclean::RawByte),
            ("/a#b", Unclean::RawByte),
            ("/a\u{7f}", Unclean::RawByte),
            ("/%", Unclean::Percent),
            ("/%2", Unclean::Percent),
            ("/%zz", Unclean::Percent),
            ("/%u0041", Unclean::Percent),
            ("/a%00b", Unclean::Zero),
        ] {
            assert_eq!(check_path(path), Err(expected), "{path}");
        }
    }

    #[test]
    fn queries_keep_what_browsers_send() {
        assert_eq!(check_query("a=\\&b={x|y}&c=%2e%2e/..//%00"), Ok(()));
        assert_eq!(check_query("a=%0"), Err(Unclean::Percent));
        assert_eq!(check_query("ü"), Err(Unclean::RawByte));
    }

    proptest! {
        #[test]
        fn a_clean_path_never_climbs(path in "/[./%2eEfF\\\\a]{0,12}") {
            if check_path(&path).is_ok() {
                for segment in path.split('/') {
                    let decoded = segment.replace("%2e", ".").replace("%2E", ".");
                    prop_assert!(decoded != "." && decoded != "..");
                }
            }
        }
    }
}
