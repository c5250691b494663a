//! `x-funcatron-placement`: what the code asks of whoever runs it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{node::Node, reader::Reader};

impl Reader<'_> {
    /// `x-funcatron-placement` at the root: `{gpu: "true"}`.
    pub(crate) fn placement(&mut self) -> BTreeMap<String, String> {
        let mut placement = BTreeMap::new();
        let Some(written) = Node::root(self.root).child("x-funcatron-placement") else { return placement };
        if !written.value.is_object() {
            self.fault(written.pointer, "placement is written {gpu: \"true\"}: names with values");
            return placement;
        }
        for (name, member) in written.members() {
            match member.value {
                Value::String(value) => _ = placement.insert(name.to_owned(), value.clone()),
                // What a person means who leaves out the quotes in YAML.
                plain @ (Value::Bool(_) | Value::Number(_)) => {
                    self.fault(member.pointer, format!("the value is a text: write \"{plain}\""));
                }
                _ => self.fault(member.pointer, "the value is a text"),
            }
        }
        placement
    }
}
