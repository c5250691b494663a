//! Reads `application/x-www-form-urlencoded` bodies into an object typed by the schema.

use serde_json::{Map, Value};

use crate::{
    media,
    parameter::Pairs,
    schema::Shape,
    style::{self, Encoding},
};

/// The body as an object; a field whose schema is an array gathers its repetitions.
pub(crate) fn read(body: &[u8], shape: &Shape) -> Result<Value, String> {
    let pairs = Pairs::query(media::text(body)?)?;
    let mut object = Map::new();
    for (name, raw) in pairs.all() {
        let field = shape.property(name);
        let item = if field.array { field.item() } else { field };
        let value = style::scalar(raw, item, Encoding::Form)?;
        put(&mut object, name, value, field)?;
    }
    Ok(Value::Object(object))
}

/// Adds a field to an object; arrays grow, anything else may stand once.
pub(crate) fn put(
    object: &mut Map<String, Value>,
    name: &str,
    value: Value,
    field: &Shape,
) -> Result<(), String> {
    if field.array {
        if let Value::Array(items) = object.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
            items.push(value);
        }
        return Ok(());
    }
    match object.insert(name.to_owned(), value) {
        Some(_) => Err(format!("the field {name:?} is given more than once")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_typed_and_arrays_gather() {
        let integer = || Shape { integer: true, ..Shape::default() };
        let list = Shape { array: true, items: Some(Box::new(integer())), ..Shape::default() };
        let shape = Shape {
            properties: [("n".to_owned(), integer()), ("l".to_owned(), list)].into(),
            ..Shape::default()
        };
        assert_eq!(read(b"n=1&l=2&l=3&s=a+b", &shape), Ok(json!({"n": 1, "l": [2, 3], "s": "a b"})));
        assert!(read(b"n=1&n=2", &shape).is_err());
        assert!(read(b"n=%zz", &shape).is_err());
        assert!(read(&[0xff], &shape).is_err());
    }
}
