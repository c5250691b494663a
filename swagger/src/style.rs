//! `Style` is how a parameter's value is spread over text: OpenAPI's `style`, `explode` and `collectionFormat`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{percent, schema::Shape};

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `a,b`; in a path and in headers.
    Simple { explode: bool },
    /// `.a.b`
    Label { explode: bool },
    /// `;id=a;id=b`
    Matrix { explode: bool },
    /// `id=a,b` or, exploded, `id=a&id=b`.
    Form { explode: bool },
    /// `id=a b`, `id=a|b` or, in Swagger 2.0, tabs.
    Delimited(char),
    /// `id[key]=value`
    DeepObject,
    /// The whole text is JSON.
    Json,
}

/// How characters are escaped where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `%20`; in paths and cookies.
    Percent,
    /// `%20`, and `+` is a space; in queries and forms.
    Form,
    /// As it is; in headers, where a percent sign is only a percent sign.
    Plain,
}

/// Why text is no value of its parameter.
pub(crate) type Reason = String;

impl Style {
    /// The value of a single piece of text: all but exploded forms and deep objects are one.
    pub(crate) fn value(
        self,
        name: &str,
        raw: &str,
        shape: &Shape,
        encoding: Encoding,
    ) -> Result<Value, Reason> {
        match self {
            Style::Json => {
                let text = decoded(raw, encoding)?;
                serde_json::from_str(&text).map_err(|error| format!("is not valid JSON: {error}"))
            }
            Style::Label { explode } => {
                let raw = raw.strip_prefix('.').ok_or("must begin with a dot")?;
                split_value(raw, if explode { '.' } else { ',' }, explode, shape, encoding)
            }
            Style::Matrix { explode } => matrix(name, raw, explode, shape),
            Style::Simple { explode } => split_value(raw, ',', explode, shape, encoding),
            Style::Form { .. } => split_value(raw, ',', false, shape, encoding),
            Style::Delimited(delimiter) => {
                // The delimiter itself may come encoded: a space always does.
                if shape.array || shape.object {
                    delimited(raw, delimiter, shape, encoding)
                } else {
                    scalar(raw, shape, encoding)
                }
            }
            Style::DeepObject => scalar(raw, shape, encoding),
        }
    }
}

/// A scalar, a list of items, or a list of keys and values, as the shape has it.
fn split_value(
    raw: &str,
    delimiter: char,
    pairs: bool,
    shape: &Shape,
    encoding: Encoding,
) -> Result<Value, Reason> {
    if shape.array {
        if raw.is_empty() {
            return Ok(Value::Array(Vec::new()));
        }
        return raw.split(delimiter).map(|part| scalar(part, shape.item(), encoding)).collect();
    }
    if !shape.object {
        return scalar(raw, shape, encoding);
    }
    if pairs {
        return raw
            .split(delimiter)
            .map(|pair| property(pair, shape, encoding))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object);
    }
    alternating(raw.split(delimiter), shape, encoding)
}

fn property(pair: &str, shape: &Shape, encoding: Encoding) -> Result<(String, Value), Reason> {
    let (key, value) = pair.split_once('=').ok_or("must be written key=value")?;
    let key = decoded(key, encoding)?.into_owned();
    let value = scalar(value, shape.property(&key), encoding)?;
    Ok((key, value))
}

fn alternating<'t>(
    mut parts: impl Iterator<Item = &'t str>,
    shape: &Shape,
    encoding: Encoding,
) -> Result<Value, Reason> {
    let mut object = Map::new();
    while let Some(key) = parts.next() {
        let key = decoded(key, encoding)?.into_owned();
        let value = parts.next().ok_or("must be written key,value,key,value")?;
        let value = scalar(value, shape.property(&key), encoding)?;
        object.insert(key, value);
    }
    Ok(Value::Object(object))
}

fn delimited(raw: &str, delimiter: char, shape: &Shape, encoding: Encoding) -> Result<Value, Reason> {
    let text = decoded(raw, encoding)?;
    let mut parts = text.split(delimiter);
    if shape.array {
        return Ok(if text.is_empty() {
            Value::Array(Vec::new())
        } else {
            parts.map(|part| shape.item().value(part)).collect()
        });
    }
    let mut object = Map::new();
    while let Some(key) = parts.next() {
        let value = parts.next().ok_or("must hold keys and values in turn")?;
        object.insert(key.to_owned(), shape.property(key).value(value));
    }
    Ok(Value::Object(object))
}

fn matrix(name: &str, raw: &str, explode: bool, shape: &Shape) -> Result<Value, Reason> {
    let body = raw.strip_prefix(';').ok_or("must begin with a semicolon")?;
    let own = |part: &str| -> Result<String, Reason> {
        match part.split_once('=') {
            Some((key, value)) if key == name => Ok(value.to_owned()),
            None if part == name => Ok(String::new()),
            _ => Err(format!("must be written ;{name}=value")),
        }
    };
    if explode && shape.array {
        return body.split(';').map(|part| scalar(&own(part)?, shape.item(), Encoding::Percent)).collect();
    }
    if explode && shape.object {
        return split_value(body, ';', true, shape, Encoding::Percent);
    }
    split_value(&own(body)?, ',', false, shape, Encoding::Percent)
}

pub(crate) fn scalar(raw: &str, shape: &Shape, encoding: Encoding) -> Result<Value, Reason> {
    decoded(raw, encoding).map(|text| shape.value(&text))
}

pub(crate) fn decoded(raw: &str, encoding: Encoding) -> Result<Cow<'_, str>, Reason> {
    let text = match encoding {
        Encoding::Percent => percent::decode(raw),
        Encoding::Form => percent::decode_form(raw),
        Encoding::Plain => Some(Cow::Borrowed(raw)),
    };
    text.ok_or_else(|| "has a bad percent escape".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn integers() -> Shape {
        let item = Shape { integer: true, ..Shape::default() };
        Shape { array: true, items: Some(Box::new(item)), ..Shape::default() }
    }

    #[test]
    fn every_style_of_an_array_is_read() {
        let cases = [
            (Style::Simple { explode: false }, "3,4"),
            (Style::Label { explode: false }, ".3,4"),
            (Style::Label { explode: true }, ".3.4"),
            (Style::Matrix { explode: false }, ";id=3,4"),
            (Style::Matrix { explode: true }, ";id=3;id=4"),
            (Style::Form { explode: false }, "3,4"),
            (Style::Delimited(' '), "3%204"),
            (Style::Delimited('|'), "3|4"),
            (Style::Delimited('|'), "3%7C4"),
            (Style::Json, "%5B3,4%5D"),
        ];
        for (style, raw) in cases {
            assert_eq!(
                style.value("id", raw, &integers(), Encoding::Percent),
                Ok(json!([3, 4])),
                "{style:?} {raw}"
            );
        }
    }

    #[test]
    fn every_style_of_an_object_is_read() {
        let number = Shape { integer: true, ..Shape::default() };
        let shape = Shape { object: true, properties: [("r".to_owned(), number)].into(), ..Shape::default() };
        let cases = [
            (Style::Simple { explode: false }, "r,1,s,x"),
            (Style::Simple { explode: true }, "r=1,s=x"),
            (Style::Label { explode: true }, ".r=1.s=x"),
            (Style::Matrix { explode: false }, ";id=r,1,s,x"),
            (Style::Matrix { explode: true }, ";r=1;s=x"),
            (Style::Form { explode: false }, "r,1,s,x"),
            (Style::Delimited('|'), "r|1|s|x"),
        ];
        for (style, raw) in cases {
            assert_eq!(
                style.value("id", raw, &shape, Encoding::Percent),
                Ok(json!({"r": 1, "s": "x"})),
                "{style:?} {raw}"
            );
        }
    }

    #[test]
    fn an_encoded_comma_is_part_of_an_item() {
        let words = Shape { array: true, ..Shape::default() };
        let value = Style::Simple { explode: false }.value("id", "a%2Cb,c", &words, Encoding::Percent);
        assert_eq!(value, Ok(json!(["a,b", "c"])));
    }
}
