//! `Body`: the bytes of a request or response, exact to the byte inside a JSON message.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use memchr::memchr2;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{BodySha, InvalidId};

/// A body, held inline or by reference to the store.
///
/// On the wire it takes the most readable form that keeps every byte: `{"json": …}`, `{"text": …}`,
/// `{"base64": …}` or `{"ref": …, "sha256": …, "len": …}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The bytes themselves.
    Inline(Bytes),
    /// The bytes lie in the store.
    Stored(StoredBody),
}

/// A reference to a body in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBody {
    /// The object to begin with: the body itself, or the index of its pieces.
    pub object: BodySha,
    /// The SHA-256 of the whole body.
    pub sha256: BodySha,
    /// Its length in bytes.
    pub len: u64,
}

impl Body {
    /// The longest body that a message carries itself. In its longest form it is two and a third times
    /// as long, which with all that a head may hold stays below 1 MiB, where brokers begin to suffer.
    pub const INLINE_BYTES_MAX: usize = 256 * 1024;

    /// A body of no bytes.
    pub const EMPTY: Self = Self::Inline(Bytes::new());

    /// How many bytes it has here: none if they lie in the store.
    pub fn inline_len(&self) -> usize {
        match self {
            Self::Inline(bytes) => bytes.len(),
            Self::Stored(_) => 0,
        }
    }

    /// Whether there is nothing in it; how messages know to leave it out.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Inline(bytes) => bytes.is_empty(),
            Self::Stored(stored) => stored.len == 0,
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self::Inline(bytes.into())
    }
}

/// The bytes as raw JSON, if embedding them in one line of JSON gives back the same bytes: no line
/// break (it would end the line) and no space around the value (a reader would not see it).
fn as_raw_json(bytes: &[u8]) -> Option<&RawValue> {
    let starts_a_value =
        matches!(bytes.first()?, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n');
    if !starts_a_value || memchr2(b'\n', b'\r', bytes).is_some() {
        return None;
    }
    let raw: &RawValue = serde_json::from_slice(bytes).ok()?;
    (raw.get().len() == bytes.len()).then_some(raw)
}

/// The bytes as text, unless JSON would write it longer than base64 does: what has that many control
/// characters nobody reads, and it could grow to six times its length.
fn as_text(bytes: &[u8]) -> Option<&str> {
    const ESCAPE_GROWTH: usize = 5;
    let text = std::str::from_utf8(bytes).ok()?;
    let is_escaped = |byte: &u8| *byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t');
    let escaped = bytes.iter().filter(|byte| is_escaped(byte)).count();
    (escaped * ESCAPE_GROWTH <= bytes.len() / 3).then_some(text)
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Inline(bytes) => {
                if let Some(raw) = as_raw_json(bytes) {
                    map.serialize_entry("json", raw)?;
                } else if let Some(text) = as_text(bytes) {
                    map.serialize_entry("text", text)?;
                } else {
                    map.serialize_entry("base64", &BASE64.encode(bytes))?;
                }
            }
            Self::Stored(StoredBody { object, sha256, len }) => {
                map.serialize_entry("ref", &format_args!("{}/{object}", BodySha::FOLDER))?;
                map.serialize_entry("sha256", sha256)?;
                map.serialize_entry("len", len)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a body: one of json, text, base64, or ref with sha256 and len")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
        let first: String = map.next_key()?.ok_or_else(|| de::Error::custom("a body needs a form"))?;
        match first.as_str() {
            "json" => {
                let raw: Box<RawValue> = map.next_value()?;
                only_key(map, Body::from(Box::<str>::from(raw).into_string()))
            }
            "text" => {
                let text: String = map.next_value()?;
                only_key(map, Body::from(text))
            }
            "base64" => {
                let text: String = map.next_value()?;
                let bytes = BASE64.decode(text).map_err(de::Error::custom)?;
                only_key(map, Body::from(bytes))
            }
            _ => stored(first, map),
        }
    }
}

fn only_key<'de, A: MapAccess<'de>>(mut map: A, body: Body) -> Result<Body, A::Error> {
    match map.next_key::<String>()? {
        None => Ok(body),
        Some(key) => Err(de::Error::custom(format_args!("a body has one form, {key:?} is a second"))),
    }
}

/// Reads the three members of a reference in any order.
fn stored<'de, A: MapAccess<'de>>(first: String, mut map: A) -> Result<Body, A::Error> {
    let (mut object, mut sha256, mut len) = (None, None, None);
    let mut next = Some(first);
    while let Some(name) = next {
        match name.as_str() {
            "ref" => object = Some(of_key(&map.next_value::<String>()?).map_err(de::Error::custom)?),
            "sha256" => sha256 = Some(map.next_value()?),
            "len" => len = Some(map.next_value()?),
            other => {
                return Err(de::Error::unknown_field(
                    other,
                    &["json", "text", "base64", "ref", "sha256", "len"],
                ));
            }
        }
        next = map.next_key()?;
    }
    Ok(Body::Stored(StoredBody {
        object: object.ok_or_else(|| de::Error::missing_field("ref"))?,
        sha256: sha256.ok_or_else(|| de::Error::missing_field("sha256"))?,
        len: len.ok_or_else(|| de::Error::missing_field("len"))?,
    }))
}

/// The object that a reference names; no key but that of a body is ever looked up.
fn of_key(key: &str) -> Result<BodySha, InvalidId> {
    let name = key.strip_prefix(BodySha::FOLDER).and_then(|rest| rest.strip_prefix('/'));
    BodySha::parse(name.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(bytes: &[u8]) -> (String, Body) {
        let encoded = serde_json::to_string(&Body::from(bytes.to_vec())).unwrap();
        let decoded = serde_json::from_str(&encoded).unwrap();
        (encoded, decoded)
    }

    #[test]
    fn each_body_takes_its_most_readable_form() {
        for (bytes, form) in [
            (&b"{\"a\": 1.0, \"a\":2}"[..], "{\"json\":{\"a\": 1.0, \"a\":2}}"),
            (b"null", "{\"json\":null}"),
            (b" null", "{\"text\":\" null\"}"),
            (b"{\n}", "{\"text\":\"{\\n}\"}"),
            (b"caf\xc3\xa9", "{\"text\":\"café\"}"),
            (b"\xff\x00", "{\"base64\":\"/wA=\"}"),
        ] {
            let (encoded, decoded) = round_trip(bytes);
            assert_eq!(encoded, form);
            assert_eq!(decoded, Body::from(bytes.to_vec()));
        }
    }

    #[test]
    fn a_second_form_is_refused() {
        assert!(serde_json::from_str::<Body>(r#"{"text":"a","json":1}"#).is_err());
        assert!(serde_json::from_str::<Body>("{}").is_err());
        let sha = BodySha::of(b"");
        assert!(serde_json::from_str::<Body>(&format!(r#"{{"ref":"bodies/{sha}","len":1}}"#)).is_err());
    }

    #[test]
    fn a_reference_leads_nowhere_but_to_bodies() {
        let sha = BodySha::of(b"");
        let read = |key: &str| {
            serde_json::from_str::<Body>(&format!(r#"{{"ref":"{key}","sha256":"{sha}","len":1}}"#))
        };
        assert!(read(&format!("bodies/{sha}")).is_ok());
        for key in ["bodies/x", "bodies/../token", "", "/etc/passwd", &format!("bundles/{sha}"), sha.as_str()]
        {
            assert!(read(key).is_err(), "{key}");
        }
        assert!(read(&format!("bodies/{sha}/x")).is_err() && read(&format!("bodies//{sha}")).is_err());
    }

    #[test]
    fn no_body_grows_much_in_a_message() {
        let len = Body::INLINE_BYTES_MAX;
        let mixed: Vec<u8> = b"\x01\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"".repeat(len / 16);
        for bytes in [vec![0; len], vec![0xff; len], vec![b'"'; len], vec![b'\n'; len], mixed] {
            let encoded = serde_json::to_string(&Body::from(bytes)).unwrap();
            assert!(encoded.len() <= len * 7 / 3 + 16, "{}", encoded.len());
        }
    }

    #[test]
    fn a_reference_is_read_in_any_order() {
        let (object, sha256) = (BodySha::of(b"index"), BodySha::of(b"whole"));
        let json = format!(r#"{{"len":3,"sha256":"{sha256}","ref":"bodies/{object}"}}"#);
        let body: Body = serde_json::from_str(&json).unwrap();
        assert_eq!(body, Body::Stored(StoredBody { object, sha256, len: 3 }));
        assert_eq!(serde_json::from_str::<Body>(&serde_json::to_string(&body).unwrap()).unwrap(), body);
    }

    proptest! {
        #[test]
        fn every_byte_survives(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(round_trip(&bytes).1, Body::from(bytes));
        }

        #[test]
        fn text_that_looks_like_json_survives_on_one_line(text in "[ \\[\\]{}\",:0-9eE.+\\-\\\\nrtu\n\r\t]{0,24}") {
            let (encoded, decoded) = round_trip(text.as_bytes());
            prop_assert!(!encoded.contains(['\n', '\r']));
            prop_assert_eq!(decoded, Body::from(text.into_bytes()));
        }
    }
}
