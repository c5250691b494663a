//! `Misdeed`: which way to misbehave, read from the path and its query alone, so that no help of the
//! platform is needed.

/// A way to misbehave.
#[derive(Debug, PartialEq)]
pub enum Misdeed {
    /// Never ends.
    Spin,
    /// Takes memory without end.
    Allocate,
    /// Panics with a message.
    Panic,
    /// Recurses without end.
    Recurse,
    /// Answers with a body of this many bytes.
    Huge(u64),
    /// Answers with a body that never ends.
    Infinite,
    /// Sets this status.
    Status(u16),
    /// Sets this header.
    Forbidden(String, String),
    /// Announces this content length and sends five bytes.
    Length(u64),
    /// Returns without setting a response.
    Silent,
    /// Sleeps for this many seconds.
    Sleep(u64),
    /// Prints this many bytes in lines.
    Print(u64),
    /// Prints one line of this many bytes, without its end.
    Line(u64),
    /// Sends a GET request to this URL.
    Fetch(String),
    /// Sets this many headers.
    Headers(u64),
    /// Sends half of a body, then traps.
    Truncated,
    /// None.
    Polite,
}

impl Misdeed {
    /// The misdeed that `uri` asks for.
    pub fn of(uri: &str) -> Self {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let number =
            |name: &str, or: u64| parameter(query, name).and_then(|text| text.parse().ok()).unwrap_or(or);
        let text = |name: &str, or: &str| parameter(query, name).unwrap_or(or.into());
        match path.rsplit('/').next().unwrap_or_default() {
            "spin" => Self::Spin,
            "allocate" => Self::Allocate,
            "panic" => Self::Panic,
            "recurse" => Self::Recurse,
            "huge" => Self::Huge(number("bytes", 64 << 20)),
            "infinite" => Self::Infinite,
            "status" => Self::Status(number("code", 99) as u16),
            "forbidden" => Self::Forbidden(text("name", "connection"), text("value", "close")),
            "length" => Self::Length(number("bytes", 3)),
            "silent" => Self::Silent,
            "sleep" => Self::Sleep(number("seconds", 60)),
            "print" => Self::Print(number("bytes", 1 << 20)),
            "line" => Self::Line(number("bytes", 1 << 20)),
            "fetch" => Self::Fetch(text("url", "")),
            "headers" => Self::Headers(number("count", 1000)),
            "truncated" => Self::Truncated,
            _ => Self::Polite,
        }
    }
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| decode(value))
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                decoded.push(value);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_chooses_the_misdeed() {
        assert_eq!(Misdeed::of("/hostile/spin"), Misdeed::Spin);
        assert_eq!(Misdeed::of("/hostile/huge?bytes=12"), Misdeed::Huge(12));
        assert_eq!(Misdeed::of("/hostile/else"), Misdeed::Polite);
        let url = "http://127.0.0.1:1/a b".to_owned();
        assert_eq!(Misdeed::of("/fetch?url=http%3A%2F%2F127.0.0.1:1/a%20b"), Misdeed::Fetch(url));
    }
}
