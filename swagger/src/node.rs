//! `Node` is a value of the document together with the JSON pointer that leads to it.

use serde_json::Value;

use crate::percent;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node<'v> {
    pub(crate) value: &'v Value,
    pub(crate) pointer: String,
}

impl<'v> Node<'v> {
    pub(crate) fn root(value: &'v Value) -> Node<'v> {
        Node { value, pointer: String::new() }
    }

    pub(crate) fn child(&self, key: &str) -> Option<Node<'v>> {
        let value = self.value.as_object()?.get(key)?;
        Some(Node { value, pointer: join(&self.pointer, key) })
    }

    /// The members of an object; nothing for any other value.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'v str, Node<'v>)> + use<'v> {
        let pointer = self.pointer.clone();
        self.value
            .as_object()
            .into_iter()
            .flatten()
            .map(move |(key, value)| (key.as_str(), Node { value, pointer: join(&pointer, key) }))
    }

    /// The items of an array; nothing for any other value.
    pub(crate) fn items(&self) -> impl Iterator<Item = Node<'v>> + use<'v> {
        let pointer = self.pointer.clone();
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(move |(index, value)| Node { value, pointer: format!("{pointer}/{index}") })
    }

    pub(crate) fn text(&self, key: &str) -> Option<&'v str> {
        self.value.as_object()?.get(key)?.as_str()
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        self.value.as_object()?.get(key)?.as_bool()
    }

    pub(crate) fn reference(&self) -> Option<&'v str> {
        self.text("$ref")
    }
}

/// The pointer to a member of what `pointer` leads to.
pub(crate) fn join(pointer: &str, key: &str) -> String {
    let mut joined = String::with_capacity(pointer.len() + key.len() + 1);
    joined.push_str(pointer);
    push(&mut joined, key);
    joined
}

/// Has a pointer lead to a member of what it leads to.
pub(crate) fn push(pointer: &mut String, key: &str) {
    pointer.push('/');
    for letter in key.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Finds what a local reference (`#/components/...`) names.
pub(crate) fn resolve<'v>(root: &'v Value, reference: &str) -> Result<Node<'v>, String> {
    let Some(fragment) = reference.strip_prefix('#') else {
        return Err(format!("the reference {reference:?} leaves the document; only \"#/...\" is followed"));
    };
    let pointer =
        percent::decode(fragment).ok_or_else(|| format!("the reference {reference:?} has a bad escape"))?;
    match root.pointer(&pointer) {
        Some(value) => Ok(Node { value, pointer: pointer.into_owned() }),
        None => Err(format!("the reference {reference:?} leads nowhere")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_unescaped_twice_over() {
        let root = json!({"a/b": {"c d": {"~": 1}}});
        let node = resolve(&root, "#/a~1b/c%20d/~0").unwrap();
        assert_eq!(node.value, &json!(1));
        assert_eq!(join(&join("", "a/b"), "~"), "/a~1b/~0");
    }

    #[test]
    fn references_out_of_the_document_are_refused() {
        let root = json!({});
        for reference in ["http://a/b", "other.yaml#/a", "file:///etc/passwd", "#/none", "#anchor", "#/%zz"] {
            assert!(resolve(&root, reference).is_err(), "{reference}");
        }
    }
}
