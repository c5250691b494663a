//! Reads `multipart/form-data` bodies into an object typed by the schema.
//!
//! Fields become typed values, JSON parts are parsed, and a file stands as an empty string: its presence is
//! checked, its bytes are the Func's.

use serde_json::{Map, Value};

use crate::{form, schema::Shape};

/// Parts of one body.
const PARTS_MAX: usize = 1_000;
/// RFC 2046 ends boundaries at 70 characters.
const BOUNDARY_BYTES_MAX: usize = 70;

/// The body as an object.
pub(crate) fn read(content_type: &str, body: &[u8], shape: &Shape) -> Result<Value, String> {
    let boundary = parameter(content_type, "boundary").ok_or("the content type names no boundary")?;
    if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX {
        return Err("the boundary is too short or too long".to_owned());
    }
    let mut object = Map::new();
    for (index, part) in parts(body, &boundary)?.into_iter().enumerate() {
        if index == PARTS_MAX {
            return Err(format!("has more than {PARTS_MAX} parts"));
        }
        let part = Part::parse(part)?;
        let field = shape.property(&part.name);
        let item = if field.array { field.item() } else { field };
        form::put(&mut object, &part.name, part.value(item)?, field)?;
    }
    Ok(Value::Object(object))
}

struct Part<'b> {
    name: String,
    is_file: bool,
    is_json: bool,
    content: &'b [u8],
}

impl<'b> Part<'b> {
    fn parse(bytes: &'b [u8]) -> Result<Part<'b>, String> {
        let at = find(bytes, b"\r\n\r\n").ok_or("a part has no end of headers")?;
        let (head, rest) = bytes.split_at(at);
        let head = std::str::from_utf8(head).map_err(|error| format!("a part has bad headers: {error}"))?;
        let header = |name: &str| {
            head.split("\r\n")
                .filter_map(|line| line.split_once(':'))
                .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        };
        let (_, disposition) = header("content-disposition").ok_or("a part has no Content-Disposition")?;
        let kind =
            header("content-type").map(|(_, value)| value.trim().to_ascii_lowercase()).unwrap_or_default();
        Ok(Part {
            name: parameter(disposition, "name").ok_or("a part has no name")?,
            is_file: parameter(disposition, "filename").is_some(),
            is_json: kind.starts_with("application/json"),
            content: rest.get(4..).unwrap_or_default(),
        })
    }

    fn value(&self, shape: &Shape) -> Result<Value, String> {
        if self.is_json || (shape.object && !self.is_file) {
            return serde_json::from_slice(self.content)
                .map_err(|error| format!("the part {:?} is not valid JSON: {error}", self.name));
        }
        match std::str::from_utf8(self.content) {
            Ok(text) if !self.is_file => Ok(shape.value(text)),
            _ => Ok(Value::from("")),
        }
    }
}

/// The bytes between boundaries.
fn parts<'b>(body: &'b [u8], boundary: &str) -> Result<Vec<&'b [u8]>, String> {
    let opening = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let start = find(body, opening.as_bytes()).ok_or("the boundary does not appear")?;
    let mut rest = body.get(start + opening.len()..).unwrap_or_default();
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        // RFC 2046 lets blanks follow a boundary; nobody sends them.
        let after = rest.strip_prefix(b"\r\n").ok_or("a boundary is not followed by a line end")?;
        let end = find(after, between.as_bytes()).ok_or("the last boundary is missing")?;
        let (part, tail) = after.split_at(end);
        parts.push(part);
        if parts.len() > PARTS_MAX {
            return Err(format!("has more than {PARTS_MAX} parts"));
        }
        rest = tail.get(between.len()..).unwrap_or_default();
    }
    Ok(parts)
}

/// A parameter of a header value, with or without quotes.
fn parameter(header: &str, name: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (key, value) = rest.split_once('=')?;
        let (text, tail) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(text.trim().to_owned());
        }
        rest = tail.split_once(';')?.1;
    }
}

/// Where the needle first stands; needles are short, so the plain search is linear in practice.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"xyz\"";

    #[test]
    fn fields_files_and_json_are_read() {
        let body = b"--xyz\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n5\r\n\
            --xyz\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a;b.bin\"\r\n\r\n\xff\x00\r\n\
            --xyz\r\nContent-Disposition: form-data; name=\"j\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n--xyz--\r\n";
        let integer = Shape { integer: true, ..Shape::default() };
        let shape = Shape { properties: [("n".to_owned(), integer)].into(), ..Shape::default() };
        assert_eq!(read(TYPE, body, &shape), Ok(json!({"n": 5, "f": "", "j": {"a": 1}})));
    }

    #[test]
    fn broken_bodies_are_refused() {
        for body in [
            "",
            "--xyz",
            "--xyz\r\n\r\n",
            "--xyz\r\nno head\r\n--xyz--",
            "--xyz\r\nA: b\r\n\r\nx\r\n--xyz--",
            "--xyzabc",
        ] {
            assert!(read(TYPE, body.as_bytes(), &Shape::default()).is_err(), "{body}");
        }
        assert!(read("multipart/form-data", b"--xyz--", &Shape::default()).is_err());
    }
}
