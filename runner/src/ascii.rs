//! JSON in ASCII alone, so that it fits into a header.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// The value as compact JSON, everything beyond ASCII escaped.
pub(crate) fn to_json<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::with_capacity(64);
    value.serialize(&mut Serializer::with_formatter(&mut json, Ascii))?;
    Ok(json)
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for character in fragment.chars() {
            match character {
                // JSON lets DEL stand as it is; a header does not.
                ' '..='~' => writer.write_all(&[character as u8])?,
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_ascii_is_escaped() {
        let json = to_json(&serde_json::json!({"é": "😀\u{7f}\n\"", "n": 1.5})).unwrap();
        assert_eq!(json, br#"{"\u00e9":"\ud83d\ude00\u007f\n\"","n":1.5}"#);
    }
}
